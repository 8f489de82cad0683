import { KmsError } from '../../base/errors.ts'
import { prettyJson } from '../../base/json.ts'
import { findChain } from '../../chains/index.ts'
import type { WalletInfo } from '../../vault/records.ts'
import { vaultExists } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { openWithPassword } from '../open-vault.ts'
import { version } from '../version.ts'

/** `report ID,ID`: what support asks for: the program, the vault, these wallets; never a secret. */
export const report: Action = async (context, [given = '']) => {
  const ids = given.split(',').map(id => id.trim())
  if (ids.includes(''))
    throw new KmsError('usage', 'report takes signatureIds, with commas between')
  const { terminal, place, variable, manager } = context
  const exists = vaultExists(place)
  const wallets = exists ? walletsOf(context, ids) : []
  const apiKey = variable('TATUM_API_KEY') === undefined ? 'unset' : 'set'
  const warnings = [
    ...(exists ? [] : ['there is no vault']),
    ...(apiKey === 'unset' ? ['TATUM_API_KEY is unset'] : []),
  ]
  terminal.answer(
    prettyJson({
      system: {
        kmsVersion: version,
        runtime: `bun ${Bun.version}`,
        store: { type: (manager ?? 'local').toUpperCase(), exists },
      },
      wallets: Object.fromEntries(wallets),
      apiKey,
      ...(warnings.length > 0 && { warnings }),
    }),
  )
  return 0
}

function walletsOf(context: Parameters<Action>[0], ids: readonly string[]) {
  using vault = openWithPassword(context)
  return ids.map((id, i) => {
    const info = vault.find(id)
    // What is no id is not repeated: it may be a secret in the wrong place.
    if (info === undefined) {
      const name = /^[\w-]{1,64}$/.test(id) ? id : `argument ${i + 1}`
      return [name, { type: 'OTHER', warnings: ['no such wallet in the vault'] }] as const
    }
    return [info.id, described(info)] as const
  })
}

function described({ chain, network, kind }: WalletInfo) {
  const known = findChain(chain)
  const ofKey = known?.walletShape.includes('secret') ? 'SECRET' : 'PRIVATE_KEY'
  return {
    type: kind === 'mnemonic' ? 'MNEMONIC' : ofKey,
    chain,
    testnet: network === 'testnet',
    ...(known === undefined && { warnings: [`this version does not know ${chain}`] }),
  }
}
