import { isatty } from 'node:tty'
import { KmsError } from '../../base/errors.ts'
import { prettyJson } from '../../base/json.ts'
import { promptSecret } from '../../password/prompt.ts'
import type { Secret } from '../../secret/secret.ts'
import {
  type AskSlotPassword,
  addPassword,
  changePassword as change,
  listSlots,
  removePassword,
  rotatePassword,
  type SlotInfo,
} from '../../vault/slots.ts'
import { readVaultFile, requireVault } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import type { Context } from '../context.ts'
import { newPassword } from '../new-password.ts'

/** `changepassword [--rotate]` */
export const changePassword: Action = async context => {
  const { place, now, cost, terminal } = context
  requireVault(place)
  using password = context.password()
  using fresh = newPassword(context)
  if (context.isSet('rotate')) {
    using others = askOthers(context)
    await rotatePassword(place, password, fresh, others.ask, { cost, now: now() })
    return 0
  }
  await change(place, password, fresh, { cost, now: now() })
  terminal.note('copies of the vault made before still open with the old password')
  return 0
}

/** `password add|remove|list` */
export const password: Action = async (context, [action, id]) => {
  requireVault(context.place)
  switch (action) {
    case 'list':
      return list(context)
    case 'add':
      return add(context)
    case 'remove':
      if (id !== undefined) return remove(context, id)
      throw new KmsError('usage', 'say which password: its id from password list')
    default:
      throw new KmsError('usage', 'password takes add, remove or list')
  }
}

function list({ place, terminal }: Context): number {
  const slots = listSlots(readVaultFile(place)).map(({ id, label, createdAt, cost }) => ({
    id,
    label,
    created: new Date(createdAt).toISOString(),
    scrypt: { N: 2 ** cost.log2N, r: cost.r, p: cost.p },
  }))
  terminal.answer(prettyJson(slots))
  return 0
}

async function add(context: Context): Promise<number> {
  const { place, now, cost } = context
  const label = context.text('label') ?? ''
  if (Buffer.byteLength(label) > 64) throw new KmsError('usage', '--label takes at most 64 bytes')
  using password = context.password()
  using fresh = newPassword(context)
  await addPassword(place, password, fresh, { cost, label, now: now() })
  return 0
}

async function remove(context: Context, id: string): Promise<number> {
  const { place, now, cost } = context
  using password = context.password()
  using others = askOthers(context)
  await removePassword(place, password, id.toLowerCase(), others.ask, { cost, now: now() })
  return 0
}

/**
 * A new master key can be wrapped for a slot only with the slot's own password: it is asked for at
 * the terminal, or the slot is dropped when the owner said so.
 */
function askOthers(context: Context): Disposable & { readonly ask: AskSlotPassword } {
  const asked = new DisposableStack()
  const ask = (slot: SlotInfo): Secret | undefined => {
    const name = slot.label === '' ? slot.id : `${slot.id} (${slot.label})`
    if (context.isSet('drop-others')) {
      context.terminal.warn(`password ${name} no longer opens the vault`)
      return undefined
    }
    if (isatty(0)) return asked.use(promptSecret(`Password ${name}`))
    throw new KmsError('usage', `the new master key needs password ${name} as well`, {
      hint: 'run this at a terminal, or drop the other passwords with --drop-others',
    })
  }
  return { ask, [Symbol.dispose]: () => asked.dispose() }
}
