import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join as path } from 'node:path'
import { realDisk, withLock } from '../../src/base/disk.ts'
import { playAtTerminal, python } from '../support/at-terminal.ts'
import { type Machines, makeMachines, type Run } from '../support/bundle-home.ts'
import { closingWallets, solPayment, xrpPayment } from '../support/closing-payments.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { binaryUnderTest } from '../support/script.ts'
import { testPassword } from '../support/test-vault.ts'

const limitMs = 120_000
let machines: Machines
let tatum: FakeTatum

beforeEach(async () => {
  const { sol, xrp } = closingWallets
  machines = await makeMachines([wallets.ethMnemonic, wallets.btcKey, sol, xrp])
  tatum = startFakeTatum({ network: 'mainnet', refusesRepeats: true })
}, limitMs)
afterEach(async () => {
  await tatum.stop()
  machines[Symbol.dispose]()
})

const read = (name: string): string => readFileSync(path(machines.folder, name), 'utf8')
const write = (name: string, text: string): void =>
  writeFileSync(path(machines.folder, name), text, { mode: 0o600 })

/** Lists the wallets and makes a bundle of what is queued. */
async function create(): Promise<Run> {
  write('w.json', (await machines.offline(['list', '--public'])).stdout)
  return machines.online(tatum, ['bundle', 'create', '--wallets=w.json', '--out=b.json'])
}
const sign = (...more: readonly string[]): Promise<Run> =>
  machines.offline(['bundle', 'sign', 'b.json', '--out=s.json', '--yes', ...more])
const send = (): Promise<Run> => machines.online(tatum, ['bundle', 'send', 's.json'])
const statesOf = ({ stdout }: Run) =>
  JSON.parse(stdout).map(({ state }: { readonly state: string }) => state)

/** The bundle with something changed on its way. */
function tamper(name: string, change: (text: string) => string): void {
  const before = read(name)
  const after = change(before)
  expect(after).not.toBe(before)
  write(name, after)
}

describe('payments of a vault without network', () => {
  test(
    'are made, signed and sent, and each step may be done twice',
    async () => {
      for (const payment of [ethPayment(1), ethPayment(2), btcPayment(3)]) tatum.queue(payment)
      expect(await create()).toMatchObject({ status: 0, stderr: '' })
      const made = JSON.parse(read('b.json'))
      const nonces = made.payments.map(({ completion }: { completion: object }) => completion)
      expect(nonces).toMatchObject([{ nonce: '0' }, { nonce: '1' }, {}])
      expect((await create()).status).toBe(0)

      const first = await sign()
      expect(first.status).toBe(0)
      expect(first.stderr).toContain('payment 1 of 3: 000000000000000000000001\n  ETH transfer\n')
      expect(first.stderr).toContain(
        '  1001 of ETH to 0x687422eea2cb73b5d3e242ba5456b782919afc85\n',
      )
      const bytes = read('s.json')
      const again = await sign()
      expect(again).toMatchObject({ status: 0, stderr: '' })
      expect(JSON.parse(again.stdout)).toMatchObject({ signed: 3, repeated: 3 })
      expect(read('s.json')).toBe(bytes)

      expect(statesOf(await send())).toEqual(['sent', 'sent', 'sent'])
      expect(statesOf(await send())).toEqual(['sent before', 'sent before', 'sent before'])
      // Without its journal it sends the same bytes, which are known.
      rmSync(path(machines.folder, 'online/.tatumrc'), { recursive: true })
      expect(statesOf(await send())).toEqual(['sent', 'sent', 'sent'])
      expect([...tatum.state.settled.values()].map(paid => paid.length)).toEqual([1, 1, 1])
      expect([...tatum.state.broadcasts.values()].map(sent => sent.length)).toEqual([1, 1, 1])
    },
    limitMs,
  )

  test(
    'are left out with the reason when the network would not wait for them',
    async () => {
      tatum.queue(solPayment(1))
      tatum.queue(xrpPayment(2, 7))
      tatum.queue(ethPayment(3))
      const run = await create()
      expect(run.status).toBe(3)
      expect(JSON.parse(run.stdout)).toMatchObject({ payments: 1 })
      const reason = 'a bundle needs 15 minutes'
      expect(run.stderr).toContain(
        `of SOL is left out: the network takes this transaction of SOL for 90 seconds at most: ${reason}`,
      )
      expect(run.stderr).toContain(`transaction of XRP for 80 seconds at most: ${reason}`)
    },
    limitMs,
  )

  test(
    'wait for the one before them of their chain when that was not delivered',
    async () => {
      for (const n of [1, 2]) tatum.queue(ethPayment(n))
      tatum.queue(btcPayment(3))
      await create()
      await sign()
      tatum.fail('broadcast', { kind: 'close-before-acting' }, { chain: 'ETH' })
      const run = await send()
      expect(run.status).toBe(3)
      expect(statesOf(run)).toEqual(['failed', 'failed', 'sent'])
      expect(run.stderr).toContain('it waits for one before it that was not delivered')
      tatum.heal()
      expect(statesOf(await send())).toEqual(['sent', 'sent', 'sent before'])
      expect([...tatum.state.settled.values()].map(paid => paid.length)).toEqual([1, 1, 1])
    },
    limitMs,
  )
})

describe('a bundle that was tampered with', () => {
  test(
    'is not signed with what no front may add, nor above the cap of fees',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      tamper('b.json', text => text.replace('"gas":"21000"', '"gas":"29000000"'))
      tamper('b.json', text => text.replace(/"gasPrice":"\d+"/, '"gasPrice":"999000000000"'))
      const dear = await sign()
      expect(dear.status).toBe(20)
      expect(dear.stderr).toContain('is above the limit of')
      await create()
      tamper('b.json', text => text.replace('"nonce":"0"', '"nonce":"0","to":"0x00"'))
      const run = await sign()
      expect(run.status).toBe(40)
      expect(run.stdout).toBe('')
    },
    limitMs,
  )

  test(
    'gets no second signature for an id that was signed',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      await sign()
      tamper('b.json', text => text.replace('1001', '9001'))
      const run = await sign()
      expect(run.status).toBe(40)
      expect(run.stderr).toContain('was signed before with another transaction')
    },
    limitMs,
  )

  test(
    'shows a person what it would really pay',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      tamper('b.json', text => text.replace('1001', '9001'))
      expect((await sign()).stderr).toContain('  9001 of ETH to 0x6874')
    },
    limitMs,
  )

  test(
    'is not sent in the place of bytes that went out',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      await sign()
      await send()
      tamper('s.json', text => text.replace('"txData":"0x', '"txData":"0x00'))
      const run = await send()
      expect(run.status).toBe(40)
      expect(run.stderr).toContain('other bytes of this payment went out before')
      expect([...tatum.state.broadcasts.values()].map(sent => sent.length)).toEqual([1])
    },
    limitMs,
  )

  test(
    'is refused for another vault, or another network',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      const made = read('b.json')
      tamper('b.json', text => text.replace(/"vaultId":"\w+"/, `"vaultId":"${'0'.repeat(32)}"`))
      const other = await sign()
      expect(other.status).toBe(2)
      expect(other.stderr).toContain('the bundle is for the wallets of another vault')
      write('b.json', made.replace('"mainnet"', '"testnet"'))
      const network = await sign()
      expect(network.status).toBe(2)
      expect(network.stderr).toContain('hint: give --testnet')
    },
    limitMs,
  )
})

describe('the owner decides', () => {
  test(
    'by a policy, and the ledger keeps what it denied',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      write('policy.toml', 'version = 1\ndefault = "deny"\n')
      const run = await sign('--policy=policy.toml')
      expect(run.status).toBe(20)
      expect(run.stderr).toContain('is not signed')
      const audit = await machines.offline(['audit', 'export', '--json'])
      expect(audit.stdout).toContain('denied-by-policy')
    },
    limitMs,
  )

  test(
    'alone: approvals cannot be asked for',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      const run = await sign(`--approver-key=${'00'.repeat(32)}`)
      expect(run.status).toBe(2)
      expect(run.stderr).toContain('approvals cannot be asked for without a network')
    },
    limitMs,
  )

  test(
    'and is asked nothing where there is nobody',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      const run = await machines.offline(['bundle', 'sign', 'b.json', '--out=s.json'])
      expect(run.status).toBe(2)
      expect(run.stderr).toContain('there is no terminal to ask at')
      expect(run.stdout).toBe('')
    },
    limitMs,
  )

  test.skipIf(python === null)(
    'at the terminal, payment by payment',
    async () => {
      for (const n of [1, 2]) tatum.queue(ethPayment(n))
      await create()
      const vault = path(machines.folder, 'vault')
      const file = path(machines.folder, 'b.json')
      const command = [...binaryUnderTest, 'bundle', 'sign', file, `--path=${vault}/wallet.dat`]
      const env = { HOME: vault, PATH: process.env['PATH'] }
      const steps = [
        ['Password of the vault: ', `${testPassword}\n`],
        ['sign it? [y/N] ', 'y\n'],
        ['payment 2 of 2', 'n\n'],
      ] as const
      const { status, answer, screen } = await playAtTerminal(
        { command, attached: true, steps },
        env,
      )
      expect(status).toBe(3)
      const signed = JSON.parse(answer).payments.map(({ id }: { readonly id: string }) => id)
      expect(signed).toEqual([pendingIdOf(1)])
      expect(screen).toContain('it was not agreed to')
    },
    limitMs,
  )

  test(
    'which process signs: beside a daemon it is none',
    async () => {
      tatum.queue(ethPayment(1))
      await create()
      const ledger = path(machines.folder, 'vault/wallet.dat.ledger')
      const run = await withLock(realDisk, ledger, 0, () => sign())
      expect(run.status).toBe(11)
      expect(run.stderr).toContain('another daemon signs with this vault')
    },
    limitMs,
  )
})

test(
  'a bundle crosses as QR codes, though some are scanned twice and one only later',
  async () => {
    for (const n of [1, 2]) tatum.queue(ethPayment(n))
    await create()
    const shown = await machines.online(tatum, ['bundle', 'show', 'b.json', '--qr'])
    expect(shown.stderr).toContain('tatum-kms: frame 1 of ')
    const frames = shown.stdout.trim().split('\n')
    const join = (lines: readonly string[]) =>
      machines.offline(['bundle', 'join'], lines.join('\n'))
    expect(frames.length).toBeGreaterThan(3)
    const scanned = frames.toReversed().flatMap(frame => [frame, frame])
    const incomplete = await join(scanned.slice(2))
    expect(incomplete.status).toBe(2)
    expect(incomplete.stderr).toContain(
      `of ${frames.length} frames these are missing: ${frames.length}\n`,
    )
    const whole = await join(scanned)
    expect(whole.status).toBe(0)
    expect(whole.stdout).toBe(read('b.json'))
  },
  limitMs,
)
