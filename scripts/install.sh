#!/bin/sh
# Installs tatum-kms out of a folder that holds a release, once it has proved what is in it:
#
#   install.sh --key=KEY [--prefix=/usr/local] [FOLDER]
#
# KEY is the public key of minisign(1) that the release is signed with, from elsewhere than the
# release, or a file with it. --unsigned in its place goes by the checksums alone. Nothing is
# downloaded, and nothing but PREFIX/bin/tatum-kms is written.
set -eu
umask 022

key=
prefix=/usr/local
folder=.
unsigned=no

fail() {
  printf 'install.sh: error: %s\n' "$1" >&2
  exit "${2:-1}"
}

for argument in "$@"; do
  case $argument in
    --key=?*) key=${argument#--key=} ;;
    --prefix=?*) prefix=${argument#--prefix=} ;;
    --unsigned) unsigned=yes ;;
    -*) fail "unknown option, or one without a value: $argument" 2 ;;
    *) folder=$argument ;;
  esac
done
if [ -z "$key" ] && [ $unsigned = no ]; then
  fail 'give the public key of the release with --key=KEY' 2
fi

case $(uname -s)-$(uname -m) in
  Linux-x86_64) file=tatum-kms-linux-x64 ;;
  Linux-aarch64) file=tatum-kms-linux-arm64 ;;
  Darwin-arm64) file=tatum-kms-darwin-arm64 ;;
  Darwin-x86_64) file=tatum-kms-darwin-x64 ;;
  *) fail 'there is no release for this machine' ;;
esac
if [ $file = tatum-kms-linux-x64 ] && [ ! -e /lib64/ld-linux-x86-64.so.2 ]; then
  file=tatum-kms-linux-x64-musl
fi

digest() {
  if command -v sha256sum >/dev/null; then
    sha256sum "$1"
  else
    shasum -a 256 "$1"
  fi | cut -c 1-64
}

# What is proved is what is used: copies that nobody else can change meanwhile.
work=$(mktemp -d)
fresh=$prefix/bin/.tatum-kms.$$
trap 'rm -rf "$work" "$fresh"' EXIT
trap 'exit 1' HUP INT TERM

cp "$folder/SHA256SUMS" "$work/" || fail "there is no SHA256SUMS in $folder"
if [ $unsigned = yes ]; then
  printf 'install.sh: warning: nobody has said who made this release\n' >&2
else
  command -v minisign >/dev/null || fail 'minisign is not installed: it proves who made the release'
  cp "$folder/SHA256SUMS.minisig" "$work/" || fail 'the release is not signed'
  if [ -f "$key" ]; then
    set -- -p "$key"
  else
    set -- -P "$key"
  fi
  minisign -V -q "$@" -m "$work/SHA256SUMS" || fail 'SHA256SUMS is not signed with this key'
fi

expected=$(awk -v file="$file" '{ name = substr($0, 67) } name == file { print $1 }' "$work/SHA256SUMS")
case $expected in
  *[!0-9a-f]*) fail "SHA256SUMS is odd about $file" ;;
esac
[ ${#expected} -eq 64 ] || fail "SHA256SUMS does not have $file exactly once"

mkdir -p "$prefix/bin"
cp "$folder/$file" "$fresh" || fail "there is no $file in $folder"
[ "$(digest "$fresh")" = "$expected" ] || fail "$file is not the file that SHA256SUMS speaks of"

# Root's program need not be readable to be run, and is closed to debuggers then.
if [ "$(id -u)" -eq 0 ]; then
  chmod 0711 "$fresh"
else
  chmod 0755 "$fresh"
fi
mv -f "$fresh" "$prefix/bin/tatum-kms"
printf 'installed %s/bin/tatum-kms\n' "$prefix"
printf 'next: tatum-kms selftest; as a service: tatum-kms install-service --dry-run\n'
