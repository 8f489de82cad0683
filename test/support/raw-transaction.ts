import { createHash } from 'node:crypto'

/** A transaction of Bitcoin's kind that somebody else made; what is not given is of no interest. */
export type RawParts = {
  readonly version?: number
  readonly inputs?: readonly { readonly index: number; readonly scriptSig: string }[]
  readonly outputs: readonly { readonly satoshis: bigint; readonly script: string }[]
  readonly lockTime?: number
  /** The form of BIP-144: flags before the lists, and in hex what stands behind them. */
  readonly extension?: { readonly flags: number; readonly between?: string } | undefined
}

export function describeRaw(parts: RawParts) {
  return { parts, txId: idOf(parts), raw: rawOf(parts) }
}

/** In the byte order of explorers. */
function idOf(parts: RawParts): string {
  const plain = Buffer.from(rawOf({ ...parts, extension: undefined }), 'hex')
  const once = createHash('sha256').update(plain).digest()
  return createHash('sha256').update(once).digest().reverse().toString('hex')
}

/** Written here by the protocol's documentation, so that it shares nothing with the program. */
export function rawOf({ version = 2, inputs, outputs, lockTime = 0, extension }: RawParts): string {
  const spent = inputs ?? [{ index: 0, scriptSig: '' }]
  return [
    number(version, 4),
    extension === undefined ? '' : `00${number(extension.flags, 1)}`,
    number(spent.length, 1),
    ...spent.map(({ index, scriptSig }) => {
      return ['5a'.repeat(32), number(index, 4), withLength(scriptSig), 'feffffff'].join('')
    }),
    number(outputs.length, 1),
    ...outputs.map(({ satoshis, script }) => number(satoshis, 8) + withLength(script)),
    extension?.between ?? '',
    number(lockTime, 4),
  ].join('')
}

function number(value: number | bigint, bytes: number): string {
  const digits = value.toString(16).padStart(2 * bytes, '0')
  return Buffer.from(digits, 'hex').reverse().toString('hex')
}

/** Below 253 a length is one byte. */
function withLength(script: string): string {
  return number(script.length / 2, 1) + script
}
