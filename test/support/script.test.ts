import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runScript } from './script.ts'

/** Does what its first argument says, so that a transcript about it is known to be right or wrong. */
const fakeBinary = `#!/bin/sh
case "$1" in
  say) shift; printf '%s\\n' "$@" ;;
  warn) echo "$2" >&2 ;;
  copy) cat ;;
  env) env | sed 's/=.*//' | grep -v -E '^(PWD|SHLVL|OLDPWD|_)$' | sort ;;
  value) eval "printf '%s' \\"\\$$2\\"" ;;
  where) test "$PWD" = "$HOME" ;;
  write) umask 077; echo "$3" > "$2" ;;
  crash) kill -SEGV $$ ;;
  *) echo 'no such command' >&2; exit 2 ;;
esac
`

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-fake-'))
  writeFileSync(join(folder, 'fake'), fakeBinary)
  chmodSync(join(folder, 'fake'), 0o755)
})
afterAll(() => rmSync(folder, { recursive: true }))

function play(script: string): Promise<void> {
  const path = join(folder, 'script.txt')
  writeFileSync(path, script)
  return runScript(path, [join(folder, 'fake')])
}

test('a transcript that tells the truth passes', async () => {
  await play(`# every command once
kms say 'one two' three  # a comment
stdout '^one two$'
stdout '^three$'
! stderr .
cmp stdout said

! kms nonsense
status 2
stderr 'no such'
! stdout .

kms copy
! stdout .
stdin said
kms copy
cmp stdout said
stdin -
kms copy
cmp stdout said

kms env
cmp stdout plain-env
kms where
kms say id=5e66
capture ID 'id=(\\w+)'
kms say wallet-$ID '$ID'
stdout '^wallet-'$ID'$'
stdout '^[$]ID$'
kms env
cmp stdout plain-env
env PASSWORD=a=b
kms value PASSWORD
stdout '^a=b$'
! kms

! exists made
kms write made x
exists made
mode made 0600
! mode made 0644
chmod 0644 made
mode made 0644
mode nested/file 0600
mode nested 0700
-- said --
one two
three
-- plain-env --
HOME
PATH
-- nested/file --
`)
})

test.each([
  ['a failure that is not expected', 'kms nonsense'],
  ['a success that is not expected', '! kms say x'],
  ['another status', '! kms nonsense\nstatus 1'],
  ['output that is missing', 'kms say x\nstdout y'],
  ['output that should not be', 'kms say x\n! stdout .'],
  ['a warning that should not be', 'kms warn x\n! stderr .'],
  ['a different file', 'kms say x\ncmp stdout f\n-- f --\ny\n'],
  ['a missing file', 'exists f'],
  ['a file that should not be', '! exists f\n-- f --\n'],
  ['another mode', 'mode f 0644\n-- f --\n'],
  ['nothing to capture', "kms say x\ncapture ID 'id=(.*)'"],
  ['a crash where a failure is expected', '! kms crash'],
  ['an unknown command', 'kmss say x'],
  ['an unknown name', 'kms say $NOPE'],
  ['a quote that is not closed', "kms say 'x"],
  ['a command without its argument', 'kms say x\nstdout'],
])('a transcript fails on %s', async (_, script) => {
  const [lines = ''] = script.split('\n--')
  const failing = lines.split('\n').length
  await expect(play(script)).rejects.toThrow(`script.txt:${failing}: `)
})
