import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { openBody, openEnvelope, type VaultKeys } from '../../src/vault/envelope.ts'
import { decodeHeader, encodeHeader } from '../../src/vault/header.ts'
import { openVault } from '../../src/vault/vault.ts'
import { type HandMadeWallet, handMadeVault } from '../support/hand-made-vault.ts'
import {
  change,
  mnemonicOf,
  otherPassword,
  password,
  placeOf,
  vaultFileOf,
  vaultPath,
} from '../support/memory-vault.ts'
import { recordedPath } from '../support/original-file.ts'
import { refusal } from '../support/refusal.ts'
import { revealedText, secretOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

/** With it, a scrypt that runs is an `unexpected` fault and not the one that is asked for. */
const unusable = secretOf('')
unusable.wipe()

let file: Uint8Array
let keys: VaultKeys
let headerLength = 0
beforeAll(async () => {
  file = await vaultFileOf('abandon', 'legal')
  keys = openEnvelope(file, password).keys
  headerLength = decodeHeader(file).length
})
afterAll(() => keys[Symbol.dispose]())

function flipped(bit: number): Uint8Array {
  const copy = file.slice()
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

const open = (bytes: Uint8Array, key = password) => openVault(placeOf(bytes), key)

describe('a vault file does not open', () => {
  test('with any bit of its header flipped, and costs no scrypt', () => {
    for (let bit = 0; bit < headerLength * 8; bit++) {
      expect(() => open(flipped(bit), unusable)).toThrow(refusal('vault-damaged'))
    }
  })

  test('with any bit of its body flipped', () => {
    expect(() => openBody(file, keys)).not.toThrow()
    for (let bit = headerLength * 8; bit < file.length * 8; bit++) {
      expect(() => openBody(flipped(bit), keys)).toThrow(refusal('vault-damaged'))
    }
  })

  test('with any byte changed, with the password', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: file.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, difference) => {
          const copy = file.slice()
          copy[at] = (copy[at] ?? 0) ^ difference
          expect(() => open(copy)).toThrow(refusal('vault-damaged'))
        },
      ),
      { numRuns },
    )
  })

  test('with any byte of its slot changed under a right checksum', () => {
    const { header } = decodeHeader(file)
    const [slot] = header.slots
    if (slot === undefined) throw new Error('no slot')
    const parts = ['id', 'salt', 'wrapped'] as const
    const changes = fc
      .constantFrom(...parts)
      .chain(part => fc.tuple(fc.constant(part), fc.nat({ max: slot[part].length - 1 })))
    fc.assert(
      fc.property(changes, ([part, at]) => {
        const bytes = slot[part].slice()
        bytes[at] = (bytes[at] ?? 0) ^ 1
        const forged = encodeHeader({ ...header, slots: [{ ...slot, [part]: bytes }] })
        const copy = Buffer.concat([forged, file.subarray(headerLength)])
        expect(() => open(copy)).toThrow(refusal('wrong-password'))
      }),
      { numRuns: Math.min(numRuns, 1000) },
    )
  })

  test.each([
    ['generation', { generation: 99n }],
    ['nonce', { bodyNonce: new Uint8Array(12) }],
  ])('with another %s under a right checksum', (_, change) => {
    const { header } = decodeHeader(file)
    const copy = Buffer.concat([
      encodeHeader({ ...header, ...change }),
      file.subarray(headerLength),
    ])
    expect(() => open(copy)).toThrow(refusal('vault-damaged', /body does not match/))
  })

  test('with another cost, label or vault id under a right checksum', () => {
    const { header } = decodeHeader(file)
    const [slot] = header.slots
    if (slot === undefined) throw new Error('no slot')
    for (const forged of [
      { ...header, slots: [{ ...slot, cost: { ...slot.cost, p: 2 } }] },
      { ...header, slots: [{ ...slot, label: 'other' }] },
      { ...header, slots: [{ ...slot, createdAt: 0 }] },
      { ...header, vaultId: new Uint8Array(16) },
    ]) {
      const copy = Buffer.concat([encodeHeader(forged), file.subarray(headerLength)])
      expect(() => open(copy)).toThrow(refusal('wrong-password'))
    }
  })

  test('when it ends anywhere, and costs no scrypt', () => {
    for (let length = 0; length < file.length; length++) {
      expect(() => open(file.subarray(0, length), unusable)).toThrow(refusal('vault-damaged'))
    }
  })

  test('with a byte behind its end, and costs no scrypt', () => {
    const longer = Buffer.concat([file, Buffer.of(0)])
    expect(() => open(longer, unusable)).toThrow(refusal('vault-damaged'))
  })

  test('with a cost outside the limits, before scrypt runs', () => {
    const { header } = decodeHeader(file)
    for (const cost of [
      { log2N: 24, r: 64, p: 4 },
      { log2N: 13, r: 8, p: 1 },
      { log2N: 14, r: 8, p: 5 },
    ]) {
      const slots = header.slots.map(slot => ({ ...slot, cost }))
      const copy = Buffer.concat([encodeHeader({ ...header, slots }), file.subarray(headerLength)])
      expect(() => open(copy, unusable)).toThrow(refusal('vault-damaged', /outside the limits/))
    }
    expect(() => open(file, unusable)).toThrow(refusal('unexpected', /after it was wiped/))
  })

  test('with another password', () => {
    expect(() => open(file, otherPassword)).toThrow(refusal('wrong-password'))
  })

  test('when it is the original’s', () => {
    const original = readFileSync(recordedPath('simple.dat'))
    expect(() => open(original, unusable)).toThrow(
      refusal('vault-damaged', /of the original tatum-kms/),
    )
  })

  test('when it is empty, nor is it made anew', async () => {
    const place = placeOf(new Uint8Array())
    expect(() => openVault(place, unusable)).toThrow(refusal('vault-damaged', /empty/))
    await expect(change(place, draft => draft.add(mnemonicOf('abandon')))).rejects.toThrow(
      refusal('vault-damaged', /empty/),
    )
    expect(place.disk.look(vaultPath)?.size).toBe(0)
  })

  test('when it is missing', () => {
    const place = { ...placeOf(file), path: '/v/other.dat' }
    expect(() => openVault(place, unusable)).toThrow(refusal('vault-missing'))
  })
})

const first: HandMadeWallet = {
  id: '11111111-1111-4111-8111-111111111111',
  chain: 'BTC',
  network: 'mainnet',
  kind: 'mnemonic',
  secret: 'abandon',
}
const second: HandMadeWallet = {
  ...first,
  id: '22222222-2222-4222-8222-222222222222',
  secret: 'legal',
}

describe('a vault made by hand after docs/format.md', () => {
  test('opens with each of its passwords', () => {
    const made = handMadeVault({ passwords: ['one', 'zwei', 'три'], wallets: [first, second] })
    for (const text of ['one', 'zwei', 'три']) {
      using vault = open(made, secretOf(text))
      expect(vault.vaultId).toBe('000102030405060708090a0b0c0d0e0f')
      expect([...vault.ids()]).toEqual([first.id, second.id])
      using secret = vault.reveal(second.id)
      expect(secret.mnemonic && revealedText(secret.mnemonic)).toBe('legal')
    }
    expect(() => open(made, secretOf('two'))).toThrow(refusal('wrong-password'))
  })

  test('is refused with two wallets of one id', () => {
    const made = handMadeVault({
      passwords: ['one'],
      wallets: [first, { ...second, id: first.id }],
    })
    expect(() => open(made, secretOf('one'))).toThrow(refusal('vault-damaged', /same id/))
  })

  test('is refused with bytes behind its last wallet', () => {
    const made = handMadeVault({ passwords: ['one'], wallets: [first], tail: Buffer.of(1) })
    expect(() => open(made, secretOf('one'))).toThrow(refusal('vault-damaged', /behind the last/))
  })

  test.each([
    ['wallet', { id: second.id }],
    ['chain', { chain: 'ETH' }],
    ['network', { network: 'testnet' as const }],
    ['kind', { kind: 'key' as const }],
  ])('does not open a secret that was sealed for another %s', (_, other) => {
    const swapped = { ...first, sealedFor: { ...first, ...other } }
    using vault = open(handMadeVault({ passwords: ['one'], wallets: [swapped] }), secretOf('one'))
    expect(vault.find(first.id)?.chain).toBe('BTC')
    expect(() => vault.reveal(first.id)).toThrow(refusal('vault-damaged', /does not open/))
    expect(() => vault.revealNode(first.id)).toThrow(refusal('vault-damaged'))
  })

  test('keeps what a later version put in when it is changed', async () => {
    const later = Buffer.from('from a later version')
    const attribute = '\xc8\0\x05later'
    const made = handMadeVault({
      passwords: ['correct horse', 'two'],
      wallets: [{ ...first, extra: [[200, later]] }],
      attributes: Buffer.from(attribute, 'latin1'),
      generation: 41n,
    })
    const place = placeOf(made)
    await change(place, draft => draft.add(mnemonicOf('legal')))
    const written = place.disk.open(vaultPath, 'read')
    const bytes = new Uint8Array(written.stat().size)
    written.read(bytes, 0)
    const { state, body, keys: held } = openEnvelope(bytes, secretOf('two'))
    held[Symbol.dispose]()
    expect(state.generation).toBe(42n)
    expect(Buffer.from(body).includes(later)).toBe(true)
    expect(Buffer.from(body).includes(attribute, 0, 'latin1')).toBe(true)
  })
})
