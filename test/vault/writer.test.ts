import { expect, test } from 'bun:test'
import {
  addPassword,
  changePassword,
  listSlots,
  removePassword,
  rotatePassword,
} from '../../src/vault/slots.ts'
import { openVault, readVaultFile, startWriting, type VaultPlace } from '../../src/vault/vault.ts'
import {
  change,
  keyOf,
  otherPassword,
  password,
  placeOn,
  quickCost,
  vaultDisk,
} from '../support/memory-vault.ts'
import { refusal } from '../support/refusal.ts'

// One scrypt for many writes: whatever others do to the vault in between.

const settings = { cost: quickCost, now: 1_700_000_000_000 }
const startOn = (place: VaultPlace) => startWriting(place, password, { ...settings, create: true })

function generationOf(place: VaultPlace, key = password): bigint {
  using vault = openVault(place, key)
  return vault.generation
}

test('what it writes is there each time, and what others write in between is kept', async () => {
  const place = placeOn(vaultDisk())
  using writer = startOn(place)
  const first = await writer.change(draft => draft.add(keyOf('0x01')))
  const second = await change(place, draft => draft.add(keyOf('0x02')))
  const third = await writer.change(draft => draft.add(keyOf('0x03')))
  using vault = openVault(place, password)
  expect([...vault.ids()]).toEqual([first.id, second.id, third.id])
  expect(vault.generation).toBe(3n)
})

test('a password changed in between stays changed: the master key is the same', async () => {
  const place = placeOn(vaultDisk())
  using writer = startOn(place)
  await writer.change(draft => draft.add(keyOf('0x01')))
  await changePassword(place, password, otherPassword, settings)
  await writer.change(draft => draft.add(keyOf('0x02')))
  expect(generationOf(place, otherPassword)).toBe(3n)
  expect(() => generationOf(place)).toThrow(refusal('wrong-password'))
})

test('under a new master key it opens the vault anew', async () => {
  const place = placeOn(vaultDisk())
  using writer = startOn(place)
  await writer.change(draft => draft.add(keyOf('0x01')))
  await rotatePassword(place, password, password, () => undefined, settings)
  await writer.change(draft => draft.add(keyOf('0x02')))
  expect(generationOf(place)).toBe(3n)
})

test('and writes no more where its password was taken away', async () => {
  const place = placeOn(vaultDisk())
  using writer = startOn(place)
  await writer.change(draft => draft.add(keyOf('0x01')))
  await addPassword(place, password, otherPassword, { ...settings, label: 'other' })
  const [first] = listSlots(readVaultFile(place))
  await removePassword(place, otherPassword, first?.id ?? '', () => undefined, settings)
  const late = writer.change(draft => draft.add(keyOf('0x02')))
  await expect(late).rejects.toThrow(refusal('wrong-password'))
  expect(generationOf(place, otherPassword)).toBe(3n)
})

test('a vault that is gone in between is not made anew: its backup is still there', async () => {
  const disk = vaultDisk()
  const place = placeOn(disk)
  using writer = startOn(place)
  await writer.change(draft => draft.add(keyOf('0x01')))
  await writer.change(draft => draft.add(keyOf('0x02')))
  disk.unlink(place.path)
  await expect(writer.change(draft => draft.add(keyOf('0x03')))).rejects.toThrow(
    refusal('vault-missing'),
  )
})
