import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import { asKmsError } from '../../src/base/errors.ts'
import { takeOver } from '../../src/cli/take-over.ts'
import { type Original, openOriginal } from '../../src/vault/original.ts'
import { encryptOriginal, secretOf } from '../support/original-file.ts'

const id = '5111f86f-a35b-4472-93c1-be840a676400'

function originalOf(privateKey: string): Original {
  using password = secretOf('old')
  const entry = { privateKey: privateKey.padStart(64, '0'), chain: 'ETH', testnet: false }
  return openOriginal(encryptOriginal(JSON.stringify({ [id]: entry }), 'old'), password)
}

test('a key that comes back from the vault as another one ends the migration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-take-over-'))
  using one = originalOf('1')
  using two = originalOf('2')
  using password = secretOf('new')
  const place = { disk: realDisk, path: join(folder, 'wallet.dat'), lockWaitMs: 0 }
  const passes = [one, two]
  const changing: Original = {
    count: 1,
    entries: () => (passes.shift() ?? two).entries(),
    [Symbol.dispose]: () => {},
  }
  try {
    await takeOver(changing, { place, password, now: 0 }, { warn() {}, show() {} })
    expect.unreachable()
  } catch (thrown) {
    expect(asKmsError(thrown)).toMatchObject({
      code: 'vault-damaged',
      message: `wallet ${id} is not in the vault as it was written`,
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
