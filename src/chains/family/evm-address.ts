import { getAddress } from 'viem/utils'
import { asString } from '../../base/json.ts'
import type { Intent } from '../../base/model.ts'
import type { Hex } from './evm-tx.ts'
import { malformed } from './refusals.ts'

/** How a chain writes its addresses. XDC's begin with `xdc`; it reads those with `0x` as well. */
export type AddressPrefix = '0x' | 'xdc'

/**
 * Lower case or upper case alone carry no checksum; mixed case must be the right one (EIP-55), which
 * is about the digits, whatever stands before them.
 */
export function readAddress(value: unknown, where: string, prefix: AddressPrefix = '0x'): Hex {
  const [, before, digits = ''] = /^(0x|xdc)([0-9a-fA-F]{40})$/.exec(asString(value) ?? '') ?? []
  if (before !== '0x' && before !== prefix) {
    const forms = prefix === '0x' ? '0x' : `${prefix} or 0x`
    throw malformed(`${where} is not ${forms} and 40 hex digits`)
  }
  const address: Hex = `0x${digits.toLowerCase()}`
  const mixed = /[a-f]/.test(digits) && /[A-F]/.test(digits)
  if (mixed && getAddress(address) !== `0x${digits}`) {
    throw malformed(`${where} has a wrong checksum: check its capital letters (EIP-55)`)
  }
  return address
}

export function formatAddress(address: Hex, prefix: AddressPrefix): string {
  return `${prefix}${address.slice(2)}`
}

/** The intent with every address in it, those of token contracts too, as the chain writes them. */
export function formatIntent(intent: Intent, prefix: AddressPrefix): Intent {
  if (prefix === '0x') return intent
  const format = (text: string) => text.replace(/\b0x(?=[0-9a-f]{40})/, prefix)
  return {
    ...intent,
    from: intent.from.map(format),
    outputs: intent.outputs.map(output => ({
      ...output,
      to: format(output.to),
      asset: format(output.asset),
    })),
  }
}
