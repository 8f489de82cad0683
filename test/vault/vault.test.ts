import { describe, expect, test } from 'bun:test'
import {
  changeVault,
  openVault,
  requireVault,
  type VaultPlace,
  vaultExists,
} from '../../src/vault/vault.ts'
import {
  change,
  keyOf,
  mnemonicOf,
  otherPassword,
  password,
  placeOf,
  placeOn,
  vaultDisk,
  vaultFileOf,
  vaultPath,
} from '../support/memory-vault.ts'
import { refusal } from '../support/refusal.ts'
import { revealedText } from '../support/secret.ts'

function secretIn(place: VaultPlace, id: string): string | undefined {
  using vault = openVault(place, password)
  using secret = vault.reveal(id)
  const text = secret.mnemonic ?? secret.keyText
  return text && revealedText(text)
}

describe('a vault', () => {
  test('gives back what was stored, oldest first', async () => {
    const place = placeOn(vaultDisk())
    const mnemonic = await change(place, draft => draft.add(mnemonicOf('abandon')))
    const key = await change(place, draft => draft.add(keyOf('0x01')))
    using vault = openVault(place, password)
    expect([...vault.ids()]).toEqual([mnemonic.id, key.id])
    expect([...vault.list()]).toEqual([mnemonic, key])
    expect(vault.find(key.id)).toEqual({
      id: key.id,
      chain: 'ETH',
      network: 'testnet',
      kind: 'key',
      createdAt: 1_700_000_000_000,
      address: 'address of 0x01',
      publicKey: Buffer.from('public key of 0x01'),
    })
    expect(secretIn(place, mnemonic.id)).toBe('abandon')
    expect(secretIn(place, key.id)).toBe('0x01')
    using node = vault.revealNode(mnemonic.id)
    expect(revealedText(node)).toBe('node of abandon')
    expect(() => vault.revealNode(key.id)).toThrow(refusal('vault-damaged'))
    expect(vault.generation).toBe(2n)
    expect(vault.vaultId).toMatch(/^[0-9a-f]{32}$/)
  })

  test('knows its ids only, not the names every object has', async () => {
    const place = placeOf(await vaultFileOf('abandon'))
    using vault = openVault(place, password)
    for (const id of ['__proto__', 'constructor', 'toString', '', '\0', 'x'.repeat(100_000)]) {
      expect(vault.find(id)).toBeUndefined()
      expect(() => vault.reveal(id)).toThrow(refusal('wallet-missing'))
      await expect(change(place, draft => draft.remove(id))).rejects.toThrow(
        refusal('wallet-missing', /^.{1,60}$/),
      )
    }
  })

  test('has another nonce, salt and id each time, for the same contents', async () => {
    const files = await Promise.all([vaultFileOf('abandon'), vaultFileOf('abandon')])
    const [one, other] = files.map(file => Buffer.from(file).toString('hex'))
    const stretches = (one ?? '').match(/.{24}/g) ?? []
    expect(stretches.filter(stretch => other?.includes(stretch)).length).toBeLessThan(4)
  })

  test('forgets its keys when it is disposed of', async () => {
    const place = placeOf(await vaultFileOf('abandon'))
    const vault = openVault(place, password)
    const [id = ''] = vault.ids()
    vault[Symbol.dispose]()
    expect(() => vault.reveal(id)).toThrow(/after it was wiped/)
    expect(() => vault.auditKey.use(() => 0)).toThrow(/after it was wiped/)
  })

  test('is not written when nothing was changed', async () => {
    const place = placeOf(await vaultFileOf('abandon'))
    const before = place.disk.look(vaultPath)?.identity
    await change(place, draft => draft.find('x'))
    expect(place.disk.look(vaultPath)?.identity).toBe(before)
  })

  test('is not written when the change fails half-way', async () => {
    const place = placeOf(await vaultFileOf('abandon'))
    const before = place.disk.look(vaultPath)?.identity
    const failing = change(place, draft => {
      draft.add(mnemonicOf('legal'))
      throw new Error('mine')
    })
    await expect(failing).rejects.toThrow('mine')
    expect(place.disk.look(vaultPath)?.identity).toBe(before)
  })

  test('keeps an id that is given, once', async () => {
    const place = placeOn(vaultDisk())
    const id = '11111111-1111-4111-8111-111111111111'
    const given = { ...mnemonicOf('abandon'), id }
    expect((await change(place, draft => draft.add(given))).id).toBe(id)
    const again = { ...mnemonicOf('legal'), id }
    await expect(change(place, draft => draft.add(again))).rejects.toThrow(refusal('usage'))
    const twice = change(place, draft => {
      const other = { ...mnemonicOf('legal'), id: id.replace('1', '2') }
      draft.add(other)
      draft.add(other)
    })
    await expect(twice).rejects.toThrow(refusal('usage'))
    expect(secretIn(place, id)).toBe('abandon')
  })

  test.each(['', 'wallet', '__proto__', 'AAAAAAAA-1111-4111-8111-111111111111', '1'.repeat(36)])(
    'refuses the id %p before anything is written',
    async id => {
      const place = placeOn(vaultDisk())
      const adding = change(place, draft => draft.add({ ...mnemonicOf('abandon'), id }))
      await expect(adding).rejects.toThrow(refusal('usage'))
      expect(vaultExists(place)).toBe(false)
    },
  )

  test('is made by a command that may make one, and by no other', async () => {
    const place = placeOn(vaultDisk())
    const only = changeVault(place, password, () => 0, { create: false, now: 0 })
    await expect(only).rejects.toThrow(refusal('vault-missing'))
    expect(() => requireVault(place)).toThrow(refusal('vault-missing'))
    await change(place, () => 0)
    expect(vaultExists(place)).toBe(true)
    using vault = openVault(place, password)
    expect([...vault.ids()]).toEqual([])
    expect(vault.generation).toBe(1n)
  })

  test('is not changed with another password', async () => {
    const place = placeOf(await vaultFileOf('abandon'))
    const adding = changeVault(place, otherPassword, draft => draft.add(mnemonicOf('legal')), {
      create: true,
      now: 0,
    })
    await expect(adding).rejects.toThrow(refusal('wrong-password'))
  })
})

describe('reloading', () => {
  test('sees what another writer did, without a password', async () => {
    const place = placeOf(await vaultFileOf('abandon'))
    using vault = openVault(place, password)
    expect(vault.reload()).toBe(false)
    const { id } = await change(place, draft => draft.add(mnemonicOf('legal')))
    expect(vault.find(id)).toBeUndefined()
    expect(vault.reload()).toBe(true)
    expect(vault.find(id)?.xpub).toBe('xpub of legal')
    using secret = vault.reveal(id)
    expect(secret.mnemonic && revealedText(secret.mnemonic)).toBe('legal')
    expect(vault.generation).toBe(2n)
    expect(vault.reload()).toBe(false)
    await change(place, draft => draft.remove(id))
    expect(vault.reload()).toBe(true)
    expect(vault.find(id)).toBeUndefined()
  })

  test('refuses an older vault and goes on with the newer', async () => {
    const disk = vaultDisk()
    const place = placeOn(disk)
    await change(place, draft => draft.add(mnemonicOf('abandon')))
    const older = disk.files().get(vaultPath)
    const { id } = await change(place, draft => draft.add(mnemonicOf('legal')))
    using vault = openVault(place, password)
    disk.unlink(vaultPath)
    const file = disk.create(vaultPath)
    file.write(older ?? new Uint8Array(), 0)
    expect(() => vault.reload()).toThrow(refusal('vault-rolled-back'))
    expect(vault.generation).toBe(2n)
    expect(vault.find(id)).toBeDefined()
  })

  test('refuses another vault, damage and a missing file', async () => {
    const disk = vaultDisk(new Map([[vaultPath, await vaultFileOf('abandon')]]))
    using vault = openVault(placeOn(disk), password)
    const put = (bytes: Uint8Array) => {
      disk.unlink(vaultPath)
      disk.create(vaultPath).write(bytes, 0)
    }
    put(await vaultFileOf('legal'))
    expect(() => vault.reload()).toThrow(refusal('vault-damaged'))
    put(Buffer.from('tatumkms'))
    expect(() => vault.reload()).toThrow(refusal('vault-damaged'))
    disk.unlink(vaultPath)
    expect(() => vault.reload()).toThrow(refusal('vault-missing'))
    expect([...vault.ids()]).toHaveLength(1)
  })
})
