const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base32 text of public bytes, without padding (RFC 4648, section 6). */
export function base32Text(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let count = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (count += 8; count >= 5; count -= 5) text += letters[(held >> (count - 5)) & 31]
  }
  return count === 0 ? text : text + letters[(held << (5 - count)) & 31]
}
