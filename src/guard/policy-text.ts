/**
 * One spelling for texts that mean the same: capital letters of hexadecimal addresses are a checksum,
 * and XDC's `xdc` is another way to write `0x`. What stands behind the address is left alone.
 */
export function canonicalText(text: string): string {
  const [address = ''] = text.split('?', 1)
  const spelled = address.replace(
    /(^|[:.])(?:0x|xdc)([0-9a-f]{16,64})(?![0-9a-z])/gi,
    (_, before: string, digits: string) => `${before}0x${digits.toLowerCase()}`,
  )
  return spelled + text.slice(address.length)
}
