import { expect, test } from 'bun:test'
import type { Secret } from '../../src/secret/secret.ts'
import { createBackup, restoreBackup } from '../../src/vault/backup.ts'
import {
  addPassword,
  changePassword,
  listSlots,
  removePassword,
  rotatePassword,
  type SlotInfo,
} from '../../src/vault/slots.ts'
import { changeVault, openVault, type VaultPlace } from '../../src/vault/vault.ts'
import { type Fault, type Files, faultyDisk } from '../support/faulty-disk.ts'
import {
  mnemonicOf,
  placeOf,
  placeOn,
  quickCost,
  vaultDisk,
  vaultPath,
} from '../support/memory-vault.ts'
import { revealedText, secretOf } from '../support/secret.ts'

const faultRuns = Number(process.env['FAULT_RUNS'] ?? 2000)
/** Given again, the same changes meet the same faults. */
const seed = Number(process.env['FAULT_SEED'] ?? Date.now() % 2 ** 31)
const random = randomFrom(seed)
const copyPath = '/v/copy.dat'
const settings = { cost: quickCost, now: 1_700_000_000_000 }
const pool = ['one', 'two', 'three', 'four', 'five'].map(text => secretOf(text))

/** What a vault must hold: each wallet's secret, and the password of each slot in its order. */
type Model = {
  readonly wallets: ReadonlyMap<string, string>
  readonly passwords: readonly [Secret, ...Secret[]]
}

type World = { readonly files: Files; readonly vault: Model; readonly copy: Model | undefined }

type Operation = {
  readonly name: string
  readonly work: (place: VaultPlace) => Promise<unknown>
  /** The vault it leaves behind. */
  readonly after: Model
}

/** Each operation that this vault is ready for, with a model of what comes of it. */
function operationsOn({ files, vault, copy }: World): readonly Operation[] {
  const { wallets, passwords } = vault
  const [own, ...others] = passwords
  const fresh = pick(pool.filter(one => !passwords.includes(one)))
  const slots = listSlots(fileIn(files))
  const ask = ({ id }: SlotInfo) => passwords[slots.findIndex(slot => slot.id === id)]
  const last = slots.at(-1)?.id ?? ''
  const id = crypto.randomUUID()
  const [oldest = ''] = wallets.keys()
  const change = (work: Parameters<typeof changeVault>[2]) => (place: VaultPlace) =>
    changeVault(place, own, work, { ...settings, create: false })
  const ready: readonly (Operation & { readonly when?: boolean })[] = [
    {
      name: 'add a wallet',
      when: wallets.size < 6,
      work: change(draft => draft.add({ ...mnemonicOf(id), id })),
      after: { ...vault, wallets: new Map(wallets).set(id, id) },
    },
    {
      name: 'remove a wallet',
      when: wallets.size > 1,
      work: change(draft => draft.remove(oldest)),
      after: { ...vault, wallets: new Map([...wallets].slice(1)) },
    },
    {
      name: 'change a password',
      work: place => changePassword(place, own, fresh, settings),
      after: { ...vault, passwords: [fresh, ...others] },
    },
    {
      name: 'rotate',
      work: place => rotatePassword(place, own, fresh, ask, settings),
      after: { ...vault, passwords: [fresh, ...others] },
    },
    {
      name: 'add a password',
      when: passwords.length < 3,
      work: place => addPassword(place, own, fresh, { ...settings, label: '' }),
      after: { ...vault, passwords: [...passwords, fresh] },
    },
    {
      name: 'remove a password',
      when: others.length > 0,
      work: place => removePassword(place, own, last, ask, settings),
      after: { ...vault, passwords: [own, ...others.slice(0, -1)] },
    },
    {
      name: 'make a copy',
      when: !files.has(copyPath),
      work: place => createBackup(place, copyPath),
      after: vault,
    },
    {
      name: 'restore a copy',
      when: copy !== undefined,
      work: place => restoreBackup(place, copyPath, copy?.passwords[0] ?? own, { force: true }),
      after: copy ?? vault,
    },
  ]
  return ready.filter(({ when }) => when !== false)
}

test(`${faultRuns} faults in random sequences of changes leave the old vault or the new one (FAULT_SEED=${seed})`, async () => {
  const counts = {
    faults: 0,
    kept: 0,
    replaced: 0,
    states: 0,
    operations: new Map<string, number>(),
  }
  let world = await newWorld()
  while (counts.faults < faultRuns) {
    if (counts.faults % 50 === 49 || random() < 0.02) world = withoutCopy(world)
    const operation = pick(operationsOn(world))
    const { memory, failure, isFaulty } = await run(operation, world.files)
    // Without a fault it must succeed; a fault may come when everything is done already.
    if (!isFaulty) expect(failure).toBeUndefined()
    if (failure !== undefined) expect(failure).toMatchObject({ name: 'KmsError', code: 'disk' })
    const allowed = failure === undefined ? [operation.after] : [world.vault, operation.after]
    const states = [memory.files(), ...memory.afterPowerCut()]
    for (const files of states) {
      modelOf(files.get(vaultPath), world, allowed)
      expectCopy(files, world)
    }
    const files = pick(states)
    const vault = modelOf(files.get(vaultPath), world, allowed)
    if (isFaulty) {
      counts.faults++
      counts.states += states.length
      counts[vault === world.vault ? 'kept' : 'replaced']++
      counts.operations.set(operation.name, (counts.operations.get(operation.name) ?? 0) + 1)
    }
    const copy = files.has(copyPath) ? (world.copy ?? world.vault) : undefined
    world = { files, vault, copy }
  }
  const { faults, states, kept, replaced, operations } = counts
  process.stdout.write(
    `disk faults: ${faults} in ${operations.size} kinds of change, ${states} states of the disk, ` +
      `${kept} old vaults, ${replaced} new ones, 0 others\n`,
  )
  expect(operations.size).toBe(8)
}, 600_000)

async function newWorld(): Promise<World> {
  const disk = vaultDisk()
  const [own, other] = pool
  if (own === undefined || other === undefined) throw new Error('no passwords')
  const id = crypto.randomUUID()
  await changeVault(placeOn(disk), own, draft => draft.add({ ...mnemonicOf(id), id }), {
    ...settings,
    create: true,
  })
  await addPassword(placeOn(disk), own, other, { ...settings, label: '' })
  const vault: Model = { wallets: new Map([[id, id]]), passwords: [own, other] }
  return { files: disk.files(), vault, copy: undefined }
}

function withoutCopy({ files, vault }: World): World {
  const rest = [...files].filter(([path]) => path !== copyPath)
  return { files: new Map(rest), vault, copy: undefined }
}

/** Runs it with a fault at a random step of the disk, which may come too late for it. */
async function run({ work }: Operation, files: Files) {
  const memory = vaultDisk(files)
  const fault = pick<Fault>(['fail', 'tear', 'power'])
  const faulty = faultyDisk(memory, Math.floor(random() * 45), fault)
  // Asking who we are cannot fail.
  const place = placeOn({ ...faulty.disk, user: memory.user })
  const failure = await Promise.resolve(place)
    .then(work)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
  return { memory, failure, isFaulty: faulty.ranOut() }
}

/** Opening costs a scrypt: contents that were seen already are known. */
const known = new WeakMap<Model, Set<string>>()

/** Which of the allowed models these bytes are; it is an error to be none. */
function modelOf(bytes: Uint8Array | undefined, world: World, allowed: readonly Model[]): Model {
  if (bytes === undefined) throw new Error('the vault is gone')
  if (Buffer.compare(bytes, fileIn(world.files)) === 0 && allowed.includes(world.vault)) {
    return world.vault
  }
  const key = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
  for (const model of allowed) {
    const seen = known.get(model) ?? new Set()
    known.set(model, seen)
    if (!seen.has(key) && !isModel(bytes, model)) continue
    seen.add(key)
    return model
  }
  throw new Error('the vault is neither the old one nor the new one')
}

function isModel(bytes: Uint8Array, { wallets, passwords }: Model): boolean {
  if (listSlots(bytes).length !== passwords.length) return false
  try {
    using vault = openVault(placeOf(bytes), passwords[0])
    const found = [...vault.ids()].map(id => {
      using secret = vault.reveal(id)
      return [id, secret.mnemonic && revealedText(secret.mnemonic)]
    })
    return Bun.deepEquals(found, [...wallets])
  } catch {
    return false
  }
}

/** A copy is there whole or not at all, and nothing that happens to the vault touches it. */
function expectCopy(files: Files, world: World): void {
  const copy = files.get(copyPath)
  const before = world.files.get(copyPath)
  if (copy === undefined && before === undefined) return
  expect(copy).toEqual(before ?? fileIn(world.files))
}

function fileIn(files: Files): Uint8Array {
  const file = files.get(vaultPath)
  if (file === undefined) throw new Error('no vault')
  return file
}

/** A linear congruential generator (Numerical Recipes), from 0 to 1. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function pick<T>(items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}
