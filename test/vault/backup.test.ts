import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger } from '../../src/signer/ledger.ts'
import { createBackup, restoreBackup } from '../../src/vault/backup.ts'
import { decodeHeader } from '../../src/vault/header.ts'
import { openVault, type VaultPlace } from '../../src/vault/vault.ts'
import { handMadeVault } from '../support/hand-made-vault.ts'
import { change, keyOf, mnemonicOf, otherPassword, password } from '../support/memory-vault.ts'
import { recordedPath } from '../support/original-file.ts'
import { refusal } from '../support/refusal.ts'
import { expectFault, runProgram } from '../support/run-program.ts'
import { storeWallets, testPassword, vaultPlace } from '../support/test-vault.ts'
import { kitSecrets } from '../support/testkit.ts'

let home = ''
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'kms-backup-'))
})
afterAll(() => rmSync(home, { recursive: true }))

let made = 0

/** A vault of two generations in a folder of its own, and where its backup goes. */
async function newVault(): Promise<{ readonly place: VaultPlace; readonly copy: string }> {
  const place = vaultPlace(join(home, `vault-${made++}`))
  await change(place, draft => draft.add(mnemonicOf('abandon')))
  await change(place, draft => draft.add(keyOf('a key')))
  return { place, copy: join(place.path, '../copies/wallet.dat') }
}

function generationOf(path: string): bigint {
  return decodeHeader(readFileSync(path)).header.generation
}

function walletsOf(place: VaultPlace, key = password): number {
  using vault = openVault(place, key)
  return [...vault.ids()].length
}

const restore = (place: VaultPlace, copy: string, force = false, key = password) =>
  restoreBackup(place, copy, key, { force })

describe('a backup', () => {
  test('is the vault to the byte, for its owner alone', async () => {
    const { place, copy } = await newVault()
    const header = await createBackup(place, copy)
    expect(header.generation).toBe(2n)
    expect(readFileSync(copy)).toEqual(readFileSync(place.path))
    expect(walletsOf({ ...place, path: copy })).toBe(2)
  })

  test('never overwrites, and leaves what stands beside it alone', async () => {
    const { place, copy } = await newVault()
    mkdirSync(join(copy, '..'), { mode: 0o700 })
    writeFileSync(`${copy}.bak`, 'of somebody else', { mode: 0o600 })
    await createBackup(place, copy)
    expect(readFileSync(`${copy}.bak`, 'utf8')).toBe('of somebody else')
    const first = readFileSync(copy)
    await change(place, draft => draft.add(mnemonicOf('legal')))
    await expect(createBackup(place, copy)).rejects.toThrow(refusal('usage', /exists already/))
    await expect(createBackup(place, place.path)).rejects.toThrow(refusal('usage'))
    expect(readFileSync(copy)).toEqual(first)
  })

  test('is not made of a damaged header, nor of nothing', async () => {
    const { place, copy } = await newVault()
    damage(place.path, 20)
    await expect(createBackup(place, copy)).rejects.toThrow(refusal('vault-damaged'))
    expect(existsSync(copy)).toBe(false)
    const nowhere = { ...place, path: `${place.path}.none` }
    expect(() => createBackup(nowhere, copy)).toThrow(refusal('vault-missing'))
  })
})

describe('a restored backup', () => {
  test('stands one generation above the vault and the copy', async () => {
    const { place, copy } = await newVault()
    await createBackup(place, copy)
    expect(await restore(place, copy)).toEqual({ generation: 3n, wallets: 2 })
    await change(place, draft => draft.add(mnemonicOf('legal')))
    expect(generationOf(place.path)).toBe(4n)
    expect(await restore(place, copy, true)).toEqual({ generation: 5n, wallets: 2 })
    expect(generationOf(`${place.path}.bak`)).toBe(4n)
    expect(generationOf(copy)).toBe(2n)
  })

  test('comes in the place of a vault that is lost or damaged', async () => {
    const { place, copy } = await newVault()
    await createBackup(place, copy)
    rmSync(place.path)
    await restore(place, copy)
    expect(walletsOf(place)).toBe(2)
    for (const at of [20, 200]) {
      damage(place.path, at)
      const damaged = readFileSync(place.path)
      await restore(place, copy)
      expect(walletsOf(place)).toBe(2)
      expect(readFileSync(`${place.path}.damaged`)).toEqual(damaged)
      expect(generationOf(`${place.path}.bak`)).toBe(1n)
    }
    writeFileSync(place.path, '')
    await restore(place, copy)
    expect(walletsOf(place)).toBe(2)
  })

  test('comes in the place of one whose header is good only when told to', async () => {
    const { place, copy } = await newVault()
    await createBackup(place, copy)
    await change(place, draft => draft.add(mnemonicOf('legal')))
    damage(place.path, readFileSync(place.path).length - 1)
    await expect(restore(place, copy)).rejects.toThrow(refusal('vault-rolled-back'))
    expect((await restore(place, copy, true)).generation).toBe(4n)
    expect(walletsOf(place)).toBe(2)
  })

  test('does not replace a lost vault whose .bak is newer unless told to', async () => {
    const { place, copy } = await newVault()
    await createBackup(place, copy)
    for (const text of ['legal', 'zoo']) await change(place, draft => draft.add(mnemonicOf(text)))
    rmSync(place.path)
    await expect(restore(place, copy)).rejects.toThrow(refusal('vault-rolled-back'))
    await restore(place, copy, true)
    expect(generationOf(place.path)).toBe(4n)
  })

  test('does not replace a newer generation unless told to', async () => {
    const { place, copy } = await newVault()
    await createBackup(place, copy)
    await change(place, draft => draft.add(mnemonicOf('legal')))
    const newer = readFileSync(place.path)
    await expect(restore(place, copy)).rejects.toThrow(
      refusal('vault-rolled-back', /generation 3, backup 2/),
    )
    expect(readFileSync(place.path)).toEqual(newer)
    expect((await restore(place, copy, true)).generation).toBe(4n)
    expect(walletsOf(place)).toBe(2)
  })

  test('does not replace what is not this vault unless told to', async () => {
    const { place, copy } = await newVault()
    await createBackup(place, copy)
    const { place: other } = await newVault()
    const newerVersion = readFileSync(place.path)
    newerVersion[9] = 2
    for (const [kept, bytes] of [
      ['.bak', readFileSync(other.path)],
      ['.damaged', readFileSync(recordedPath('simple.dat'))],
      ['.damaged', newerVersion],
    ] as const) {
      writeFileSync(place.path, bytes)
      writeFileSync(`${place.path}.bak`, readFileSync(copy), { mode: 0o600 })
      await expect(restore(place, copy)).rejects.toThrow(refusal('usage', /another|not a vault/))
      expect(readFileSync(place.path)).toEqual(bytes)
      await restore(place, copy, true)
      expect(walletsOf(place)).toBe(2)
      expect(readFileSync(place.path + kept)).toEqual(bytes)
    }
  })

  test('must be there, be whole and open with the password', async () => {
    const { place, copy } = await newVault()
    const before = readFileSync(place.path)
    expect(() => restore(place, copy)).toThrow(refusal('vault-missing'))
    await createBackup(place, copy)
    await expect(restore(place, copy, true, otherPassword)).rejects.toThrow(
      refusal('wrong-password'),
    )
    for (const at of [20, before.length - 1]) {
      damage(copy, at)
      await expect(restore(place, copy, true)).rejects.toThrow(refusal('vault-damaged'))
      damage(copy, at)
    }
    expect(readFileSync(place.path)).toEqual(before)
  })

  test('is taken by the ledger, which refuses one that was put there by hand', async () => {
    const { place, copy } = await newVault()
    await createBackup(place, copy)
    await change(place, draft => draft.add(mnemonicOf('legal')))
    const ledgerPath = `${place.path}.ledger`
    const see = () => {
      using vault = openVault(place, password)
      using ledger = openLedger(ledgerPath, vault.auditKey)
      ledger.checkGeneration(vault.generation)
    }
    see()
    copyFileSync(copy, place.path)
    expect(see).toThrow(refusal('vault-rolled-back'))
    copyFileSync(`${place.path}.bak`, place.path)
    await change(place, draft => draft.add(mnemonicOf('zoo')))
    await restore(place, copy, true)
    expect(see).not.toThrow()
  })
})

describe('the commands backup and restore', () => {
  const wallets = [
    {
      id: '11111111-1111-4111-8111-111111111111',
      chain: 'BTC',
      network: 'mainnet',
      mnemonic: kitSecrets.mnemonic,
    },
    {
      id: '22222222-2222-4222-8222-222222222222',
      chain: 'ETH',
      network: 'testnet',
      key: kitSecrets.key,
    },
  ] as const

  /** Runs a command on the vault of a folder of its own. */
  async function commandLine() {
    const folder = join(home, `commands-${made++}`)
    const place = vaultPlace(folder)
    await storeWallets(folder, wallets)
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, testPassword, { mode: 0o600 })
    const kms = (...args: readonly string[]) =>
      runProgram([...args, `--path=${place.path}`, `--password-file=${passwordFile}`])
    return { folder, place, kms, copy: join(folder, 'copy.dat') }
  }

  test('make a copy, check it and put it back', async () => {
    const { kms, copy, place } = await commandLine()
    expect(await kms('backup', 'create', copy)).toMatchObject({ status: 0 })
    const checked = await kms('backup', 'verify', copy)
    expect(checked).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(checked.stdout)).toMatchObject({ wallets: 2, mnemonics: 1, different: 0 })
    for (const secret of Object.values(kitSecrets)) expect(checked.stdout).not.toContain(secret)
    rmSync(place.path)
    const restored = await kms('restore', copy)
    expect(restored).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(restored.stdout)).toMatchObject({ generation: 2, wallets: 2 })
    expect(await kms('getmanagedwallet', wallets[0].id)).toMatchObject({ status: 0 })
  })

  test('say what they refuse with its exit status', async () => {
    const { kms, copy, folder, place } = await commandLine()
    expectFault(await kms('backup', 'verify', copy), 10)
    expectFault(await kms('restore', copy), 10)
    await kms('backup', 'create', copy)
    expectFault(await kms('backup', 'create', copy), 2)
    await storeWallets(folder, [{ ...wallets[0], id: '33333333-3333-4333-8333-333333333333' }])
    expectFault(await kms('restore', copy), 14)
    const { place: other } = await newVault()
    copyFileSync(other.path, place.path)
    expectFault(await kms('restore', copy), 2)
    writeFileSync(join(folder, 'password'), 'not the password')
    expectFault(await kms('restore', copy, '--force'), 12)
    damage(copy, 20)
    expectFault(await kms('backup', 'verify', copy), 13)
    expect(readFileSync(place.path)).toEqual(readFileSync(other.path))
  })

  test('warn about a public value that is not the one of its secret', async () => {
    const { kms, copy } = await commandLine()
    const bytes = handMadeVault({
      passwords: [testPassword],
      wallets: [
        {
          id: wallets[0].id,
          chain: 'BTC',
          network: 'mainnet',
          kind: 'mnemonic',
          secret: kitSecrets.mnemonic,
          extra: [[5, Buffer.from('xpub of a thief')]],
        },
        {
          id: wallets[1].id,
          chain: 'ETH',
          network: 'testnet',
          kind: 'key',
          secret: kitSecrets.key,
          extra: [[6, Buffer.from('0x0000000000000000000000000000000000000000')]],
        },
      ],
    })
    writeFileSync(copy, bytes, { mode: 0o600 })
    const { status, stdout, stderr } = await kms('backup', 'verify', copy)
    expect(status).toBe(13)
    expect(JSON.parse(stdout)).toMatchObject({ wallets: 2, different: 2 })
    expect(stderr).toMatch(/warning: wallet 1111[^\n]*xpub is not the one of its secret\n/)
    expect(stderr).toMatch(/warning: wallet 2222[^\n]*address is not the one of its secret\n/)
  })
})

/** Flips one bit; a second time it is whole again. */
function damage(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}
