import { describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Secret } from '../../src/secret/secret.ts'
import { openLedger } from '../../src/signer/ledger.ts'
import { openEnvelope } from '../../src/vault/envelope.ts'
import { decodeHeader } from '../../src/vault/header.ts'
import { indexBody, recordAt } from '../../src/vault/records.ts'
import {
  addPassword,
  changePassword,
  listSlots,
  removePassword,
  rotatePassword,
} from '../../src/vault/slots.ts'
import { openVault, type VaultPlace } from '../../src/vault/vault.ts'
import type { MemoryDisk } from '../support/faulty-disk.ts'
import { handMadeVault } from '../support/hand-made-vault.ts'
import {
  change,
  mnemonicOf,
  opensWith,
  otherPassword,
  password,
  placeOf,
  placeOn,
  quickCost,
  vaultDisk,
  vaultPath,
} from '../support/memory-vault.ts'
import { refusal } from '../support/refusal.ts'
import { revealedText, secretOf } from '../support/secret.ts'

const third = secretOf('third of three')
const settings = { cost: quickCost, now: 1_700_000_000_001 }
const none = (): undefined => undefined

type TestVault = { readonly disk: MemoryDisk; readonly place: VaultPlace }

async function newVault(...more: readonly Secret[]): Promise<TestVault> {
  const disk = vaultDisk()
  const place = placeOn(disk)
  await change(place, draft => ['abandon', 'legal'].map(text => draft.add(mnemonicOf(text))))
  for (const [i, fresh] of more.entries()) {
    await addPassword(place, password, fresh, { ...settings, label: `more ${i}` })
  }
  return { disk, place }
}

function fileOf({ disk }: TestVault, path = vaultPath): Uint8Array {
  const bytes = disk.files().get(path)
  if (bytes === undefined) throw new Error(`no ${path}`)
  return bytes
}

function slotId(vault: TestVault, number: number): string {
  const id = listSlots(fileOf(vault))[number]?.id
  if (id === undefined) throw new Error(`no slot ${number}`)
  return id
}

/** Every secret of the vault in text, in order. */
function secretsOf(place: VaultPlace, key: Secret): readonly string[] {
  using vault = openVault(place, key)
  return [...vault.ids()].map(id => {
    using secret = vault.reveal(id)
    using node = vault.revealNode(id)
    return `${secret.mnemonic && revealedText(secret.mnemonic)} / ${revealedText(node)}`
  })
}

const secrets = ['abandon / node of abandon', 'legal / node of legal']

function generationOf(vault: TestVault): bigint {
  return decodeHeader(fileOf(vault)).header.generation
}

describe('changepassword', () => {
  test('lets the new password in and the old one no more; the copy keeps the old one', async () => {
    const vault = await newVault()
    const before = fileOf(vault)
    await changePassword(vault.place, password, otherPassword, settings)
    expect(secretsOf(vault.place, otherPassword)).toEqual(secrets)
    expect(opensWith(fileOf(vault), password)).toBe(false)
    expect(fileOf(vault, `${vaultPath}.bak`)).toEqual(before)
    expect(opensWith(before, password)).toBe(true)
    expect(generationOf(vault)).toBe(2n)
  })

  test('changes the slot that was opened and leaves the others as they are', async () => {
    const vault = await newVault(otherPassword)
    const [first, second] = decodeHeader(fileOf(vault)).header.slots
    await changePassword(vault.place, otherPassword, third, settings)
    const [left, changed] = decodeHeader(fileOf(vault)).header.slots
    expect(left).toEqual(first)
    expect(changed?.id).not.toEqual(second?.id)
    expect(changed?.label).toBe('more 0')
    expect([password, otherPassword, third].map(key => opensWith(fileOf(vault), key))).toEqual([
      true,
      false,
      true,
    ])
  })

  test('with a wrong password changes nothing', async () => {
    const vault = await newVault()
    const before = fileOf(vault)
    await expect(changePassword(vault.place, third, otherPassword, settings)).rejects.toThrow(
      refusal('wrong-password'),
    )
    expect(fileOf(vault)).toEqual(before)
    expect([...vault.disk.files().keys()]).toEqual([vaultPath])
  })

  test('to the password of another slot is refused: it would outlive its removal', async () => {
    const vault = await newVault(otherPassword)
    const taken = refusal('usage', /has the new password already/)
    const { place } = vault
    await expect(changePassword(place, password, otherPassword, settings)).rejects.toThrow(taken)
    await expect(
      rotatePassword(place, password, otherPassword, () => otherPassword, settings),
    ).rejects.toThrow(taken)
    for (const known of [password, otherPassword]) {
      await expect(addPassword(place, password, known, { ...settings, label: '' })).rejects.toThrow(
        taken,
      )
    }
    expect(listSlots(fileOf(vault))).toHaveLength(2)
  })

  test('raises the cost when it is told to and never lowers it', async () => {
    const vault = await newVault()
    const costs = [15, 14].map(log2N => ({ ...quickCost, log2N }))
    for (const cost of costs) {
      await changePassword(vault.place, password, password, { ...settings, cost })
      expect(listSlots(fileOf(vault))[0]?.cost.log2N).toBe(15)
    }
    await rotatePassword(vault.place, password, password, none, settings)
    expect(listSlots(fileOf(vault))[0]?.cost.log2N).toBe(15)
  })

  test('refuses a vault that is not there, and makes no lock for it', async () => {
    const place = placeOn(vaultDisk())
    expect(() => changePassword(place, password, third, settings)).toThrow(refusal('vault-missing'))
  })
})

describe('a new master key', () => {
  test('has every secret sealed again: no sealed bytes in common', async () => {
    const vault = await newVault()
    const before = sealedParts(fileOf(vault), password)
    await rotatePassword(vault.place, password, otherPassword, none, settings)
    const after = sealedParts(fileOf(vault), otherPassword)
    expect(after).toHaveLength(4)
    for (const [i, part] of after.entries()) {
      expect(part.length).toBe(before[i]?.length ?? 0)
      // 12 bytes are a nonce: eight in a row that are the same would be no accident.
      for (const old of before) expect(sharesRun(part, old, 8)).toBe(false)
    }
    expect(secretsOf(vault.place, otherPassword)).toEqual(secrets)
  })

  test('makes the old one useless: neither body nor records open under it', async () => {
    const vault = await newVault()
    using old = openEnvelope(fileOf(vault), password).keys
    await rotatePassword(vault.place, password, password, none, settings)
    using fresh = openEnvelope(fileOf(vault), password).keys
    for (const name of ['body', 'record'] as const) {
      expect(revealedText(fresh[name])).not.toBe(revealedText(old[name]))
    }
  })

  test('keeps what a later version put in', async () => {
    const made = handMadeVault({
      passwords: ['correct horse'],
      wallets: [
        {
          id: '11111111-1111-4111-8111-111111111111',
          chain: 'LATER',
          network: 'testnet',
          kind: 'key',
          secret: 'a key',
          extra: [[200, Buffer.from('a field of a later version')]],
        },
      ],
      attributes: Buffer.from('\xc8\0\x05later', 'latin1'),
    })
    const place = placeOf(made)
    for (let round = 0; round < 2; round++) {
      await rotatePassword(place, password, password, none, settings)
    }
    const { body, keys } = openEnvelope(readAll(place), password)
    using _keys = keys
    expect(Buffer.from(body).includes('a field of a later version')).toBe(true)
    expect(Buffer.from(body).includes('\xc8\0\x05later', 0, 'latin1')).toBe(true)
    using vault = openVault(place, password)
    using secret = vault.reveal('11111111-1111-4111-8111-111111111111')
    expect(secret.keyText && revealedText(secret.keyText)).toBe('a key')
  })

  test('leaves the ledger’s key as it was: one written before still verifies', async () => {
    const vault = await newVault(otherPassword)
    const path = join(tmpdir(), `kms-slots-${process.pid}.ledger`)
    try {
      {
        using opened = openVault(vault.place, password)
        using ledger = openLedger(path, opened.auditKey)
        ledger.checkGeneration(opened.generation)
        ledger.commit([ledgerEntry])
      }
      const [, { id } = { id: '' }] = listSlots(fileOf(vault))
      await removePassword(vault.place, password, id, none, settings)
      await rotatePassword(vault.place, password, third, none, settings)
      using opened = openVault(vault.place, third)
      using ledger = openLedger(path, opened.auditKey)
      ledger.checkGeneration(opened.generation)
      expect(ledger.find('p1')?.txId).toBe('t1')
    } finally {
      for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
    }
  })

  test('asks for the password of every other slot and drops those without one', async () => {
    const vault = await newVault(otherPassword, third)
    const asked: string[] = []
    await rotatePassword(
      vault.place,
      password,
      password,
      ({ label }) => {
        asked.push(label)
        return label === 'more 0' ? otherPassword : undefined
      },
      settings,
    )
    expect(asked).toEqual(['more 0', 'more 1'])
    expect(listSlots(fileOf(vault)).map(({ label }) => label)).toEqual(['first', 'more 0'])
    expect([password, otherPassword, third].map(key => opensWith(fileOf(vault), key))).toEqual([
      true,
      true,
      false,
    ])
  })

  test('takes no password for a slot that it does not open: its owner would be locked out', async () => {
    const vault = await newVault(otherPassword)
    const before = fileOf(vault)
    for (const wrong of [third, password, secretOf('')]) {
      const rotating = rotatePassword(vault.place, password, password, () => wrong, settings)
      await expect(rotating).rejects.toThrow(refusal('wrong-password'))
    }
    expect(fileOf(vault)).toEqual(before)
  })

  test('is not made when a secret does not open', async () => {
    const first = {
      id: '11111111-1111-4111-8111-111111111111',
      chain: 'BTC',
      network: 'mainnet',
      kind: 'mnemonic',
      secret: 'abandon',
    } as const
    const swapped = { ...first, sealedFor: { ...first, chain: 'ETH' } }
    const made = handMadeVault({ passwords: ['correct horse'], wallets: [swapped] })
    const place = placeOf(made)
    const rotating = rotatePassword(place, password, third, none, settings)
    await expect(rotating).rejects.toThrow(refusal('vault-damaged', /of wallet 1111/))
    expect(Buffer.from(readAll(place)).equals(made)).toBe(true)
  })
})

describe('password add, remove, list', () => {
  test('adds one that opens the vault and lists it without its key', async () => {
    const vault = await newVault(otherPassword)
    expect(listSlots(fileOf(vault))).toEqual([
      expect.objectContaining({ label: 'first', cost: quickCost }),
      { id: slotId(vault, 1), label: 'more 0', createdAt: settings.now, cost: quickCost },
    ])
    expect(secretsOf(vault.place, otherPassword)).toEqual(secrets)
    expect(secretsOf(vault.place, password)).toEqual(secrets)
  })

  test('takes eight and no ninth', async () => {
    const seven = Array.from({ length: 7 }, (_, i) => secretOf(`password ${i}`))
    const vault = await newVault(...seven)
    const before = fileOf(vault)
    const ninth = addPassword(vault.place, password, third, { ...settings, label: '' })
    await expect(ninth).rejects.toThrow(refusal('usage', /8 passwords already/))
    expect(fileOf(vault)).toEqual(before)
    for (const key of [password, ...seven]) expect(opensWith(before, key)).toBe(true)
  })

  test('removes none that is in use, unknown, or without a password that opens', async () => {
    const vault = await newVault(otherPassword)
    const before = fileOf(vault)
    const { place } = vault
    const remove = (key: Secret, id: string) => removePassword(place, key, id, none, settings)
    await expect(remove(password, slotId(vault, 0))).rejects.toThrow(
      refusal('usage', /cannot remove itself/),
    )
    for (const unknown of ['00'.repeat(16), '', '__proto__']) {
      await expect(remove(password, unknown)).rejects.toThrow(refusal('usage', /no password slot/))
    }
    await expect(remove(third, slotId(vault, 1))).rejects.toThrow(refusal('wrong-password'))
    expect(fileOf(vault)).toEqual(before)
  })

  test('leaves nothing that the removed password opens: no vault, no copy, no temporary', async () => {
    const vault = await newVault(otherPassword, third)
    vault.disk.create('/v/.wallet.dat.99.tmp').write(fileOf(vault), 0)
    await removePassword(vault.place, password, slotId(vault, 1), () => third, settings)
    expect([...vault.disk.files().keys()]).toEqual([vaultPath])
    for (const files of vault.disk.afterPowerCut()) {
      for (const bytes of files.values()) expect(opensWith(bytes, otherPassword)).toBe(false)
    }
    expect(secretsOf(vault.place, password)).toEqual(secrets)
    expect(secretsOf(vault.place, third)).toEqual(secrets)
  })
})

const ledgerEntry = {
  pendingId: 'p1',
  chain: 'BTC',
  network: 'mainnet',
  serializedHash: new Uint8Array(32),
  txData: 'aa',
  txId: 't1',
  facts: {},
  claims: ['output/aa:0'],
  signedAt: 1,
} as const

function readAll({ disk }: VaultPlace): Uint8Array {
  const file = disk.open(vaultPath, 'read')
  const bytes = new Uint8Array(file.stat().size)
  file.read(bytes, 0)
  return bytes
}

function sealedParts(file: Uint8Array, key: Secret): readonly Uint8Array[] {
  const { body, keys } = openEnvelope(file, key)
  using _keys = keys
  return [...indexBody(body).values()].flatMap(start => {
    const { sealedSecret, sealedNode } = recordAt(body, start)
    return [sealedSecret, ...(sealedNode ? [sealedNode] : [])]
  })
}

function sharesRun(one: Uint8Array, other: Uint8Array, length: number): boolean {
  const within = Buffer.from(other)
  const parts = Buffer.from(one)
  for (let at = 0; at + length <= one.length; at++) {
    if (within.includes(parts.subarray(at, at + length))) return true
  }
  return false
}
