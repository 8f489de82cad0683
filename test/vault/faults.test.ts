import { afterAll, describe, expect, test } from 'bun:test'
import type { Disk } from '../../src/base/disk.ts'
import type { Draft } from '../../src/vault/draft.ts'
import { openBody, openEnvelope } from '../../src/vault/envelope.ts'
import { indexBody } from '../../src/vault/records.ts'
import { openVault } from '../../src/vault/vault.ts'
import { type Fault, type Files, faultyDisk, type MemoryDisk } from '../support/faulty-disk.ts'
import {
  change,
  mnemonicOf,
  password,
  placeOf,
  placeOn,
  vaultDisk,
  vaultFileOf,
  vaultPath,
} from '../support/memory-vault.ts'

const backup = `${vaultPath}.bak`
const file = await vaultFileOf('abandon', 'legal')
const { keys, body } = openEnvelope(file, password)
afterAll(() => keys[Symbol.dispose]())
const [removed = '', kept = ''] = indexBody(body).keys()
const added = '33333333-3333-4333-8333-333333333333'

type Case = {
  readonly name: string
  readonly start: Files
  readonly work: (draft: Draft) => unknown
  readonly before: readonly string[] | undefined
  readonly after: readonly string[]
}

const present: Files = new Map([
  [vaultPath, file],
  [backup, file],
])
const cases: readonly Case[] = [
  {
    name: 'adding a wallet',
    start: present,
    work: draft => draft.add({ ...mnemonicOf('vessel'), id: added }),
    before: [removed, kept],
    after: [removed, kept, added],
  },
  {
    name: 'removing a wallet',
    start: present,
    work: draft => draft.remove(removed),
    before: [removed, kept],
    after: [kept],
  },
  {
    name: 'making a vault',
    start: new Map(),
    work: draft => draft.add({ ...mnemonicOf('vessel'), id: added }),
    before: undefined,
    after: [added],
  },
]
const faults: readonly Fault[] = ['fail', 'tear', 'power']
const all = cases.flatMap(tried => faults.map(fault => ({ ...tried, fault })))
type Tried = (typeof all)[number]

type Outcome = { readonly memory: MemoryDisk; readonly failure: unknown }

/** Runs the change once for each step of the disk, with the fault at that step. */
async function runAll(
  { start, work, fault }: Tried,
  forgets?: 'sync' | 'syncFolder',
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (let step = 0; ; step++) {
    const memory = vaultDisk(start, forgets)
    const { disk, ranOut } = faultyDisk(memory, step, fault)
    // Asking who we are cannot fail.
    const failure = await change(placeOn({ ...disk, user: memory.user }), work).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    outcomes.push({ memory, failure })
    if (!ranOut()) return outcomes
  }
}

const known = new Map<Tried, Promise<readonly Outcome[]>>()

function everyFault(tried: Tried): Promise<readonly Outcome[]> {
  const outcomes = known.get(tried) ?? runAll(tried)
  known.set(tried, outcomes)
  return outcomes
}

/** Which wallets each file is a whole vault of; a file that is none is an error. */
function idsIn(bytes: Uint8Array | undefined): readonly string[] | undefined {
  if (bytes === undefined) return undefined
  if (Buffer.compare(bytes, file) === 0) return [removed, kept]
  using vault = openVault(placeOf(bytes), password)
  const ids = [...vault.ids()]
  for (const id of ids) vault.reveal(id)[Symbol.dispose]()
  return ids
}

const statesOf = (memory: MemoryDisk) => [memory.files(), ...memory.afterPowerCut()]

/** The states of a crash repeat the same few contents: each is opened once. */
function contentsOf(states: readonly Files[], path: string): readonly (Uint8Array | undefined)[] {
  const distinct = new Map(
    states.map(files => {
      const bytes = files.get(path)
      return [bytes && Buffer.from(bytes).toString('latin1'), bytes]
    }),
  )
  return [...distinct.values()]
}

describe('changing a vault on a faulty disk', () => {
  test.each(all)('$name leaves the old or the new vault at every step ($fault)', async tried => {
    const outcomes = await everyFault(tried)
    for (const { memory } of outcomes) {
      for (const bytes of contentsOf(statesOf(memory), vaultPath)) {
        expect([tried.before, tried.after]).toContainEqual(idsIn(bytes))
      }
    }
    process.stdout.write(`${tried.name}, ${tried.fault}: ${outcomes.length} steps\n`)
    expect(outcomes.length).toBeGreaterThan(20)
  })

  test.each(all)('$name lasts once it has answered ($fault)', async tried => {
    const done = (await everyFault(tried)).filter(({ failure }) => failure === undefined)
    expect(done.length).toBeGreaterThan(0)
    for (const { memory } of done) {
      for (const bytes of contentsOf(statesOf(memory), vaultPath)) {
        expect(idsIn(bytes)).toEqual(tried.after)
      }
    }
  })

  test.each(all)('$name answers a failure that says so ($fault)', async tried => {
    for (const { failure } of await everyFault(tried)) {
      if (failure === undefined) continue
      expect(failure).toMatchObject({ name: 'KmsError', code: 'disk' })
      expect(String(failure)).toMatch(/^KmsError: [^\n]*\/v/)
    }
  })

  test('a removal that has answered leaves no copy of the wallet anywhere', async () => {
    const removal = all.filter(({ name }) => name === 'removing a wallet')
    for (const tried of removal) {
      for (const { memory, failure } of await everyFault(tried)) {
        if (failure !== undefined) continue
        for (const files of memory.afterPowerCut()) expect(files.has(backup)).toBe(false)
        for (const remains of memory.remains()) expect(holds(remains, removed)).toBe(false)
      }
    }
  })

  test('the next command works after any power cut', async () => {
    for (const tried of all.filter(({ fault }) => fault === 'power')) {
      for (const { memory } of await everyFault(tried)) {
        const last = memory.afterPowerCut().at(-1) ?? new Map()
        const disk: Disk & Pick<MemoryDisk, 'files'> = vaultDisk(last)
        const { id } = await change(placeOn(disk), draft => draft.add(mnemonicOf('zoo')))
        expect(idsIn(disk.files().get(vaultPath))).toContain(id)
        const left = [...disk.files().keys()].filter(name => name.endsWith('.tmp'))
        expect(left).toEqual([])
      }
    }
  })

  test('a missing sync of the file or the folder would be noticed', async () => {
    const [adding] = all.filter(({ fault }) => fault === 'power')
    if (adding === undefined) throw new Error('no case')
    for (const forgets of ['sync', 'syncFolder'] as const) {
      const outcomes = await runAll(adding, forgets)
      const done = outcomes.filter(({ failure }) => failure === undefined)
      const isLasting = done.every(({ memory }) =>
        statesOf(memory).every(files => holds(files.get(vaultPath), added)),
      )
      expect(isLasting).toBe(false)
    }
  })
})

/** True when the bytes are a vault of ours, whole, with this wallet in it. */
function holds(bytes: Uint8Array | undefined, id: string): boolean {
  if (bytes === undefined) return false
  try {
    return indexBody(openBody(bytes, keys).body).has(id)
  } catch {
    return false
  }
}
