import type { xdr } from '@stellar/stellar-base'
import { byteText } from './byte-text.ts'
import { accountText, stellar } from './xlm-library.ts'

/** What operations do that move nothing and change an account, in words for its owner. */

/** Every option that is set; what is not named stays as it is. */
export function spellOptions(options: xdr.SetOptionsOp): string {
  const inflation = options.inflationDest()
  const domain = options.homeDomain()
  const signer = options.signer()
  const named = {
    masterWeight: options.masterWeight(),
    lowThreshold: options.lowThreshold(),
    medThreshold: options.medThreshold(),
    highThreshold: options.highThreshold(),
    setFlags: options.setFlags(),
    clearFlags: options.clearFlags(),
    signer: signer && `${signerText(signer.key())}:${signer.weight()}`,
    inflationDest: inflation && accountText(inflation.ed25519()),
    homeDomain: domain && byteText(Buffer.from(domain)),
  }
  const words = Object.entries(named).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`${name}=${value}`],
  )
  return ['options', ...words].join(' ')
}

/** Without a value the entry is deleted. */
export function spellData(data: xdr.ManageDataOp): string {
  const value = data.dataValue()
  const name = byteText(Buffer.from(data.dataName()))
  return value ? `data ${name}=${byteText(value)}` : `no data ${name}`
}

/** `G…` a key, `T…` a transaction, `X…` a hash, `P…` a key with what it signs (SEP-23). */
function signerText(key: xdr.SignerKey): string {
  return stellar().SignerKey.encodeSignerKey(key)
}
