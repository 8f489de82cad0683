import { beforeAll, describe, expect, test } from 'bun:test'
import type { Secret } from '../../src/secret/secret.ts'
import {
  addPassword,
  changePassword,
  listSlots,
  removePassword,
  rotatePassword,
} from '../../src/vault/slots.ts'
import type { VaultPlace } from '../../src/vault/vault.ts'
import { type Fault, type Files, faultyDisk, type MemoryDisk } from '../support/faulty-disk.ts'
import {
  change,
  mnemonicOf,
  opensWith,
  otherPassword,
  password,
  placeOn,
  quickCost,
  vaultDisk,
  vaultPath,
} from '../support/memory-vault.ts'
import { secretOf } from '../support/secret.ts'

const fresh = secretOf('third of three')
const all = [password, otherPassword, fresh]
const settings = { cost: quickCost, now: 1_700_000_000_001 }

let start: Files = new Map()
let otherId = ''
beforeAll(async () => {
  const disk = vaultDisk()
  await change(placeOn(disk), draft => draft.add(mnemonicOf('abandon')))
  await addPassword(placeOn(disk), password, otherPassword, { ...settings, label: 'other' })
  start = disk.files()
  otherId = listSlots(start.get(vaultPath) ?? new Uint8Array())[1]?.id ?? ''
})

type Case = {
  readonly name: string
  readonly work: (place: VaultPlace) => Promise<void>
  /** Which passwords open the vault afterwards. */
  readonly after: readonly Secret[]
  /** The old vault and its copy must be gone when it has answered. */
  readonly erases?: true
}

const before = [password, otherPassword]
const cases: readonly Case[] = [
  {
    name: 'changing a password',
    work: place => changePassword(place, password, fresh, settings),
    after: [otherPassword, fresh],
  },
  {
    name: 'adding a password',
    work: place => addPassword(place, password, fresh, { ...settings, label: 'fresh' }),
    after: [password, otherPassword, fresh],
  },
  {
    name: 'removing a password',
    work: place => removePassword(place, password, otherId, () => undefined, settings),
    after: [password],
    erases: true,
  },
  {
    name: 'a new master key',
    work: place => rotatePassword(place, password, fresh, () => otherPassword, settings),
    after: [otherPassword, fresh],
    erases: true,
  },
]
const faults: readonly Fault[] = ['fail', 'tear', 'power']
const tries = cases.flatMap(tried => faults.map(fault => ({ ...tried, fault })))

/** Which passwords open each content; the states of a crash repeat the same few. */
const opened = new Map<string, readonly Secret[]>()

function passwordsOf(bytes: Uint8Array | undefined): readonly Secret[] {
  if (bytes === undefined) return []
  const key = Buffer.from(bytes).toString('latin1')
  const known = opened.get(key) ?? all.filter(one => opensWith(bytes, one))
  opened.set(key, known)
  return known
}

function statesOf(memory: MemoryDisk): readonly Files[] {
  return [memory.files(), ...memory.afterPowerCut()]
}

describe('changing the passwords on a faulty disk', () => {
  test.each(tries)(
    '$name leaves the old passwords or the new ones at every step ($fault)',
    async ({ name, work, after, erases, fault }) => {
      let steps = 0
      for (let ranOut = true; ranOut; steps++) {
        const memory = vaultDisk(start)
        const faulty = faultyDisk(memory, steps, fault)
        // Asking who we are cannot fail.
        const place = placeOn({ ...faulty.disk, user: memory.user })
        const failure = await Promise.resolve(place)
          .then(work)
          .then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
        ranOut = faulty.ranOut()
        if (failure !== undefined) {
          expect(failure).toMatchObject({ name: 'KmsError', code: 'disk' })
        }
        for (const files of statesOf(memory)) {
          const found = passwordsOf(files.get(vaultPath))
          if (failure === undefined) expect(found).toEqual(after)
          else expect([before, after]).toContainEqual(found)
          if (failure === undefined && erases) expect([...files.keys()]).toEqual([vaultPath])
        }
      }
      process.stdout.write(`${name}, ${fault}: ${steps} steps\n`)
      expect(steps).toBeGreaterThan(20)
    },
    30_000,
  )
})
