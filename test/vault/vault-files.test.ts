import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import {
  changeVault,
  checkFolder,
  openVault,
  type VaultPlace,
  vaultExists,
} from '../../src/vault/vault.ts'
import { change, mnemonicOf, password } from '../support/memory-vault.ts'
import { refusal } from '../support/refusal.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-vault-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function realPlace(name: string): VaultPlace {
  return { disk: realDisk, path: join(folder, name, 'wallet.dat'), lockWaitMs: 1000 }
}

describe('the files of a vault', () => {
  test('folder, vault, copy and lock are for their owner alone', async () => {
    const place = realPlace('made')
    await change(place, draft => draft.add(mnemonicOf('abandon')))
    await change(place, draft => draft.add(mnemonicOf('legal')))
    const home = join(folder, 'made')
    expect(statSync(home).mode & 0o777).toBe(0o700)
    expect(readdirSync(home).sort()).toEqual(['wallet.dat', 'wallet.dat.bak', 'wallet.dat.lock'])
    for (const name of readdirSync(home))
      expect(statSync(join(home, name)).mode & 0o777).toBe(0o600)
    expect(checkFolder(place)).toEqual([])
  })

  test('the copy is the vault before', async () => {
    const place = realPlace('copy')
    await change(place, draft => draft.add(mnemonicOf('abandon')))
    const before = readFileSync(place.path)
    await change(place, draft => draft.add(mnemonicOf('legal')))
    expect(readFileSync(`${place.path}.bak`)).toEqual(before)
  })

  test('a removal leaves no copy of what was removed', async () => {
    const place = realPlace('removal')
    const { id } = await change(place, draft => draft.add(mnemonicOf('abandon')))
    await change(place, draft => draft.add(mnemonicOf('legal')))
    expect(existsSync(`${place.path}.bak`)).toBe(true)
    await change(place, draft => draft.remove(id))
    expect(readdirSync(join(folder, 'removal')).sort()).toEqual(['wallet.dat', 'wallet.dat.lock'])
  })

  test('the lock of a vault that is not there is not made', async () => {
    const place = realPlace('none')
    const removing = changeVault(place, password, draft => draft.remove('x'), {
      create: false,
      now: 0,
    })
    await expect(removing).rejects.toThrow(refusal('vault-missing'))
    mkdirSync(join(folder, 'none'))
    expect(readdirSync(join(folder, 'none'))).toEqual([])
  })

  test.each([0o770, 0o707, 0o1777])('a folder of mode %o is refused', async mode => {
    const place = realPlace(`folder-${mode}`)
    const { id } = await change(place, draft => draft.add(mnemonicOf('abandon')))
    chmodSync(join(place.path, '..'), mode)
    const refused = refusal('unsafe-permissions')
    expect(() => openVault(place, password)).toThrow(refused)
    expect(() => vaultExists(place)).toThrow(refused)
    for (const create of [true, false]) {
      const removing = changeVault(place, password, draft => draft.remove(id), { create, now: 0 })
      await expect(removing).rejects.toThrow(refused)
    }
  })

  test('a folder others may look into is used with a warning', async () => {
    const place = realPlace('readable')
    await change(place, draft => draft.add(mnemonicOf('abandon')))
    chmodSync(join(folder, 'readable'), 0o755)
    expect(checkFolder(place)).toEqual([expect.stringContaining('may look into')])
    openVault(place, password)[Symbol.dispose]()
  })

  test.each([0o640, 0o604, 0o620, 0o601])('a vault of mode %o is refused', async mode => {
    const place = realPlace(`file-${mode}`)
    await change(place, draft => draft.add(mnemonicOf('abandon')))
    chmodSync(place.path, mode)
    expect(() => openVault(place, password)).toThrow(refusal('unsafe-permissions'))
    const adding = change(place, draft => draft.add(mnemonicOf('legal')))
    await expect(adding).rejects.toThrow(refusal('unsafe-permissions'))
  })

  test('a symbolic link, a folder and a pipe in the place of a vault are refused', async () => {
    const place = realPlace('link')
    await change(place, draft => draft.add(mnemonicOf('abandon')))
    const at = (name: string) => ({ ...place, path: join(folder, 'link', name) })
    symlinkSync(place.path, at('symlink').path)
    symlinkSync('nowhere', at('dangling').path)
    mkdirSync(at('folder').path)
    Bun.spawnSync(['mkfifo', '-m', '600', at('pipe').path])
    for (const name of ['symlink', 'dangling', 'folder', 'pipe']) {
      expect(() => openVault(at(name), password)).toThrow(refusal('unsafe-permissions'))
      const adding = change(at(name), draft => draft.add(mnemonicOf('legal')))
      await expect(adding).rejects.toThrow(refusal('unsafe-permissions'))
    }
  })

  test('a path below a file is an error of the disk, not a crash', async () => {
    writeFileSync(join(folder, 'plain'), '')
    const place = realPlace('plain')
    expect(() => openVault(place, password)).toThrow(refusal('disk', /is not a folder/))
    const adding = change(place, draft => draft.add(mnemonicOf('abandon')))
    await expect(adding).rejects.toThrow(refusal('disk', /is not a folder/))
  })
})
