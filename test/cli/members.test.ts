import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chains } from '../../src/chains/index.ts'
import { runProgram } from '../support/program.ts'
import recorded from '../vectors/wallets.json'
import random from '../vectors/wallets-random-samples.json'

type Recorded = { readonly chain: string; readonly wallet: object }

/** The members of a wallet of `chain` as the original printed them, in its order. */
function membersOf(chain: string): readonly string[] {
  const [wallet] = [
    ...(recorded as readonly Recorded[]).filter(entry => entry.chain === chain),
    ...random.samples.flatMap(entry =>
      entry.chain === chain ? entry.samples.map(sample => ({ wallet: sample })) : [],
    ),
  ]
    .map(entry => Object.keys(entry.wallet))
    .filter(members => !members.includes('error'))
  return wallet ?? []
}

let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kms-members-'))
  writeFileSync(join(home, 'pw'), 'a password of many words\n', { mode: 0o600 })
})
afterEach(() => rmSync(home, { recursive: true }))

test.each(chains.map(({ id }) => id))(
  'each command answers for %s with the members of the original, in its order',
  async chain => {
    const wallet = membersOf(chain)
    expect(wallet.length).toBeGreaterThan(0)
    expect(Object.keys(await answer('generatewallet', chain))).toEqual([...wallet])

    const stored = await answer('generatemanagedwallet', chain, ...inVault)
    const shown = wallet.find(name => name === 'address') ?? wallet.find(name => name === 'xpub')
    expect(Object.keys(stored)).toEqual(['signatureId', ...(shown === undefined ? [] : [shown])])
    const id = stored['signatureId'] ?? ''
    const managed = await answer('getmanagedwallet', id, ...inVault)
    expect(Object.keys(managed)).toEqual([...wallet, 'chain', 'testnet'])

    const index = wallet.includes('mnemonic') ? ['0'] : []
    const address = await answer('getaddress', id, ...index, ...inVault)
    expect(Object.keys(address)).toEqual(['address'])
    const key = await answer('getprivatekey', id, ...index, ...inVault)
    expect(Object.keys(key)).toEqual(['privateKey'])

    const input = key['privateKey'] ?? ''
    const run = await runProgram(['storemanagedprivatekey', chain, ...inVault], { home, input })
    expect(Object.keys(JSON.parse(run.stdout))).toEqual(['signatureId'])
    const again = String(JSON.parse(run.stdout).signatureId)
    expect(await answer('getaddress', again, ...inVault)).toEqual(address)
    expect(await answer('getprivatekey', again, ...inVault)).toEqual(key)
  },
  20_000,
)

const inVault = ['--password-file=pw']

/** Of a command that says nothing else. */
async function answer(...args: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const cost = args[0] === 'generatemanagedwallet' ? ['--kdf-cost=14'] : []
  const { status, stdout, stderr } = await runProgram([...args, ...cost], { home })
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' })
  const parsed: unknown = JSON.parse(stdout)
  expect(stdout).toBe(`${JSON.stringify(parsed, null, 2)}\n`)
  return parsed as Readonly<Record<string, string>>
}
