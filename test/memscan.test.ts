import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runUntilItAnswers } from './support/blocked-command.ts'
import {
  type DaemonProcess,
  frontOf,
  makeHome,
  startDaemon,
  until,
} from './support/daemon-process.ts'
import { hashicorp } from './support/fake-managers/fake-hashicorp.ts'
import { type FakeManagers, startFakeManagers } from './support/fake-managers/server.ts'
import { settingsFor } from './support/fake-managers/variables.ts'
import { type FakeTatum, startFakeTatum } from './support/fake-tatum.ts'
import {
  markedPayment,
  markedWallets,
  recordedPayments,
  secretsOf,
  vaultSecretsOf,
  walletsToStore,
} from './support/marked-vault.ts'
import { type Copy, canScan, describeCopies, scanMemory } from './support/memory-scan.ts'
import type { Marked } from './support/needles.ts'
import { revealedText } from './support/secret.ts'
import { openTestVault, storeWallets, type TestWallet, testPassword } from './support/test-vault.ts'

/** Enough to end the thread that signs several times over. */
const paymentsPerCycle = 80
const cycles = 3
/** The thread that signs ends after half a second without work, when it has tidied up. */
const idleMs = 5_000

/** What the signer keeps for its life, in one locked copy each. */
const heldKeys = ['audit key', 'body key', 'record key']

const template = mkdtempSync(join(tmpdir(), 'kms-memscan-'))
const running = new Set<DaemonProcess>()

beforeAll(() => storeWallets(template, markedWallets))
afterAll(() => rmSync(template, { recursive: true }))

afterEach(async () => {
  for (const daemon of running) daemon.kill('SIGKILL')
  await Promise.all([...running].map(({ ended }) => ended))
  running.clear()
})

describe.skipIf(!canScan())('the daemon, after hundreds of signatures', () => {
  test('holds the vault’s keys once, in locked memory, and the front holds nothing', async () => {
    using home = makeHome(template)
    await using tatum = startFakeTatum({ network: 'mainnet' })
    const secrets = await secretsIn(home.folder)
    const daemon = start(home.folder, tatum, 'locked')
    await pay(tatum, daemon, () => expectSilentFront(daemon, secrets))
    await Bun.sleep(idleMs)
    expectSilentFront(daemon, secrets)
    const { copies } = scanMemory(daemon.pid, secrets)
    const held = copies.filter(isHeldKey)
    expect(held.map(({ secret }) => secret).toSorted()).toEqual(heldKeys)
    expect(describeCopies(copies.filter(copy => !isHeldKey(copy)))).toEqual([])
  }, 60_000)

  test('shows not even these where the kernel has secret pages', async () => {
    using home = makeHome(template)
    await using tatum = startFakeTatum({ network: 'mainnet' })
    const secrets = await secretsIn(home.folder)
    const daemon = start(home.folder, tatum, 'auto')
    await pay(tatum, daemon, () => {})
    await Bun.sleep(idleMs)
    const { copies, hidden } = scanMemory(daemon.pid, secrets)
    const isSecretMemory = hidden.some(({ name }) => name.includes('secretmem'))
    const visible = isSecretMemory ? copies : copies.filter(copy => !isHeldKey(copy))
    expect(describeCopies(visible)).toEqual([])
  }, 60_000)
})

describe.skipIf(!canScan())('with a secret manager', () => {
  const env = (fake: FakeManagers) => ({
    ...settingsFor(fake.url).hashicorp,
    TATUM_KMS_MANAGER_CA_FILE: fake.certFile,
  })
  const credentials = [{ name: 'token', bytes: Buffer.from(hashicorp.token) }]

  test('neither process of the daemon holds its credentials or the password', async () => {
    using home = makeHome(template)
    using fake = startFakeManagers(testPassword)
    await using tatum = startFakeTatum({ network: 'mainnet' })
    const secrets = [...(await secretsIn(home.folder)), ...credentials]
    const flags = [`--external-url=${tatum.approverUrl}`, '--period=0.2', '--secret-memory=locked']
    const daemon = startDaemon(home.folder, tatum, flags, {
      env: env(fake),
      password: '--hashicorp',
    })
    running.add(daemon)
    await until(() => tatum.state.requests.length > 0, daemon.said)
    expect(fake.asked).toEqual([`GET /v1/${hashicorp.path}`])
    expectSilentFront(daemon, secrets)
    const { copies } = scanMemory(daemon.pid, secrets)
    expect(describeCopies(copies.filter(copy => !isHeldKey(copy)))).toEqual([])
  }, 60_000)

  test('a command has the password in locked memory only', async () => {
    using home = makeHome(template)
    using fake = startFakeManagers(testPassword)
    const { folder } = home
    const flags = [`--path=${folder}/wallet.dat`, '--hashicorp', '--secret-memory=locked']
    await using command = await runUntilItAnswers(folder, ['export', ...flags], '', env(fake))
    const { copies } = scanMemory(command.pid, await secretsIn(folder))
    const stray = copies.filter(({ mapping }) => !mapping.isLocked)
    expect(describeCopies(stray)).toEqual([])
  })
})

const mnemonicWalletId = markedWallets[0]?.id ?? ''
const oneShots: readonly (readonly [args: readonly string[], stdin?: string])[] = [
  [['generatemanagedwallet', 'ETH']],
  [['generatemanagedprivatekeybatch', 'ETH', '600']],
  [['storemanagedwallet', 'ETH'], walletsToStore.mnemonic.mnemonic],
  [['storemanagedprivatekey', 'ETH'], walletsToStore.key.key],
  [['getaddress', mnemonicWalletId, '1']],
  [['getprivatekey', mnemonicWalletId, '1']],
  [['getmanagedwallet', mnemonicWalletId]],
  [['export']],
]

describe.skipIf(!canScan())('a command that is about to answer', () => {
  test.each(oneShots)('has secrets in locked memory only: %j', async (args, stdin = '') => {
    using home = makeHome(template)
    const { folder } = home
    const files = [`--path=${folder}/wallet.dat`, `--password-file=${folder}/password`]
    const flags = [...files, '--secret-memory=locked']
    await using command = await runUntilItAnswers(folder, [...args, ...flags], `${stdin}\n`)
    const wallets = [...Object.values(walletsToStore), ...newestIn(folder, 20)]
    const secrets = [...(await secretsIn(folder)), ...(await secretsOfAll(wallets))]
    const { copies } = scanMemory(command.pid, secrets)
    const stray = copies.filter(({ mapping }) => !mapping.isLocked)
    expect(describeCopies(stray)).toEqual([])
    expect(copies.filter(({ secret }) => /^(password|master) key/.test(secret))).toEqual([])
  })
})

async function secretsIn(folder: string): Promise<readonly Marked[]> {
  return [...(await secretsOfAll(markedWallets)), ...vaultSecretsOf(folder)]
}

async function secretsOfAll(wallets: readonly TestWallet[]): Promise<readonly Marked[]> {
  return (await Promise.all(wallets.map(secretsOf))).flat()
}

/** The last `most` of the wallets that are none of ours: they were just made. */
function newestIn(folder: string, most: number): readonly TestWallet[] {
  using vault = openTestVault(folder)
  const made = [...vault.list()].filter(({ id }) => markedWallets.every(known => known.id !== id))
  return made.slice(-most).map(({ id, chain, network }) => {
    using secret = vault.reveal(id)
    const { mnemonic, keyText } = secret
    if (mnemonic !== undefined) return { id, chain, network, mnemonic: revealedText(mnemonic) }
    return { id, chain, network, ...(keyText && { key: revealedText(keyText) }) }
  })
}

function start(folder: string, tatum: FakeTatum, memory: 'auto' | 'locked'): DaemonProcess {
  const flags = [`--external-url=${tatum.approverUrl}`, '--period=0.2', `--secret-memory=${memory}`]
  const daemon = startDaemon(folder, tatum, flags)
  running.add(daemon)
  return daemon
}

/** Many payments at once, several times; `look` looks in between, while they are being signed. */
async function pay(tatum: FakeTatum, daemon: DaemonProcess, look: () => void): Promise<void> {
  const { settled } = tatum.state
  const said = (): string => daemon.said().slice(-600)
  const queued = recordedPayments.map(payment => tatum.queue(payment))
  for (let cycle = 0; cycle < cycles; cycle++) {
    for (let n = 0; n < paymentsPerCycle; n++) {
      queued.push(tatum.queue(markedPayment(cycle * paymentsPerCycle + n)))
    }
    await until(() => settled.size > queued.length - paymentsPerCycle / 2, said, 20_000)
    look()
    await until(() => settled.size === queued.length, said, 20_000)
  }
}

function expectSilentFront(daemon: DaemonProcess, secrets: readonly Marked[]): void {
  const front = frontOf(daemon)
  if (front === undefined) throw new Error(`there is no front: ${daemon.said()}`)
  expect(describeCopies(scanMemory(front, secrets).copies)).toEqual([])
}

function isHeldKey({ secret, form, length, mapping }: Copy): boolean {
  return heldKeys.includes(secret) && form === 'raw' && length === 32 && mapping.isLocked
}
