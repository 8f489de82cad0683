import { hex } from '../../base/bytes.ts'
import { prettyJson } from '../../base/json.ts'
import { decodeHeader, formatVersion } from '../../vault/header.ts'
import { readVaultFile } from '../../vault/vault.ts'
import type { Action } from '../action.ts'

/** `inspect`: what the vault's header says, without a password. */
export const inspect: Action = async ({ place, terminal }) => {
  const file = readVaultFile(place)
  const { header } = decodeHeader(file)
  terminal.answer(
    prettyJson({
      path: place.path,
      version: formatVersion,
      vaultId: hex(header.vaultId),
      generation: Number(header.generation),
      bytes: file.length,
      passwords: header.slots.map(({ id, label, createdAt, cost }) => ({
        id: hex(id),
        label,
        created: new Date(createdAt).toISOString(),
        scrypt: { N: 2 ** cost.log2N, r: cost.r, p: cost.p },
      })),
    }),
  )
  return 0
}
