import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitStatus } from '../../src/cli/exit.ts'
import { openLedger } from '../../src/signer/ledger.ts'
import { openVault, type Vault } from '../../src/vault/vault.ts'
import { placeOf } from '../support/memory-vault.ts'
import { refusal } from '../support/refusal.ts'
import { expectFault, runProgram } from '../support/run-program.ts'
import { secretOf } from '../support/secret.ts'
import { type KitCase, kitFolder, kitSecrets, readKit } from '../support/testkit.ts'

const kit = readKit()

/** With it, a scrypt that runs is an `unexpected` fault and not the one that is asked for. */
const unusable = secretOf('')
unusable.wipe()

let home = ''
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'kms-testkit-'))
})
afterAll(() => {
  rmSync(home, { recursive: true })
  process.stdout.write(`testkit: ${kit.length} files, each with inspect, export and in-process\n`)
})

test('the testkit’s manifest names every file of its folder', () => {
  const files = readdirSync(kitFolder).filter(name => name.endsWith('.dat'))
  expect(kit.map(({ file }) => file).sort()).toEqual(files.sort())
  expect(kit.length).toBeGreaterThan(80)
})

describe.each(kit)('$file ($what)', kitCase => {
  test('is opened or refused', () => {
    const opening = () => openEverything(kitCase)
    if (kitCase.expectedCode === undefined) expect(opening).not.toThrow()
    else expect(opening).toThrow(refusal(kitCase.expectedCode))
  })

  test.concurrent('is said so by the program, which leaves it alone', async () => {
    const folder = join(home, kitCase.file)
    mkdirSync(folder, { mode: 0o700 })
    const vault = join(folder, 'wallet.dat')
    const passwordFile = join(folder, 'password')
    writeFileSync(vault, kitCase.bytes, { mode: 0o600 })
    writeFileSync(passwordFile, kitCase.password, { mode: 0o600 })

    const inspected = await runProgram(['inspect', `--path=${vault}`])
    expectSaid(inspected, kitCase.inspectExit)
    if (kitCase.inspectExit === 0) {
      expect(JSON.parse(inspected.stdout)).toMatchObject({ version: 1 })
    }
    const exported = await runProgram([
      'export',
      `--path=${vault}`,
      `--password-file=${passwordFile}`,
    ])
    expectSaid(exported, kitCase.expectedExit)
    if (kitCase.expectedExit === 0) JSON.parse(exported.stdout)

    expect(readFileSync(vault).equals(kitCase.bytes)).toBe(true)
    expect(readdirSync(folder).sort()).toEqual(['password', 'wallet.dat'])
  })
})

const badHeaders = kit.filter(({ inspectExit }) => inspectExit !== 0)
test.each(badHeaders)('$file ($what) is refused before scrypt runs', ({ bytes }) => {
  expect(() => openVault(placeOf(bytes), unusable)).toThrow(refusal('vault-damaged'))
})

test('an older generation opens, but not for who has seen the newer one', () => {
  using newer = openKitFile('good-one-slot.dat')
  using older = openKitFile('good-older-generation.dat')
  using ledger = openLedger(join(home, 'ledger'), newer.auditKey)
  ledger.checkGeneration(newer.generation)
  expect(older.vaultId).toBe(newer.vaultId)
  expect(() => ledger.checkGeneration(older.generation)).toThrow(refusal('vault-rolled-back'))
  expect(exitStatus['vault-rolled-back']).toBe(14)
})

function openKitFile(name: string): Vault {
  const found = kit.find(({ file }) => file === name)
  if (found === undefined) throw new Error(`no ${name}`)
  using secret = secretOf(found.password)
  return openVault(placeOf(found.bytes), secret)
}

function openEverything({ bytes, password }: KitCase): void {
  using secret = secretOf(password)
  using vault = openVault(placeOf(bytes), secret)
  for (const { id } of vault.list()) vault.reveal(id)[Symbol.dispose]()
}

function expectSaid(run: Awaited<ReturnType<typeof runProgram>>, status: number): void {
  if (status === 0) expect(run).toMatchObject({ status: 0, stderr: '' })
  else expectFault(run, status)
  for (const secret of Object.values(kitSecrets)) {
    expect(run.stderr).not.toContain(secret.slice(0, 16))
  }
}
