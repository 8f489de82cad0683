import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DaemonProcess,
  makeHome,
  runDaemonOnce,
  startDaemon,
} from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { ethPayment, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

// The whole daemon: a file that only the signer reads, and SIGHUP.

const template = mkdtempSync(join(tmpdir(), 'kms-rules-'))
beforeAll(() => storeWallets(template, Object.values(wallets)))
afterAll(() => rmSync(template, { recursive: true }))

const allow = 'version = 1\ndefault = "allow"\n'
const deny = 'version = 1\ndefault = "deny"\n'
const cheap = `${allow}[fees]\nETH = 1\n`

describe.skipIf(process.platform !== 'linux')('a daemon with a policy', () => {
  test('pays what a policy allows that came by SIGHUP, and keeps it when the next one is wrong', async () => {
    using home = makeHome(template)
    const tatum = startFakeTatum({ network: 'mainnet' })
    const daemon = start(home.folder, tatum, deny)
    try {
      const first = tatum.queue(ethPayment(1))
      await until(daemon, said => said.includes('the policy denies it: default'))
      // Of the group, as a terminal sends it: the front does not mind.
      rewrite(home.folder, allow)
      process.kill(-daemon.pid, 'SIGHUP')
      await until(daemon, said => said.includes('the policy was read again: 0 rules, 0 caps'))
      await until(daemon, () => tatum.state.settled.has(first))

      rewrite(home.folder, `${deny}[[rules]]\n`)
      daemon.kill('SIGHUP')
      await until(daemon, said =>
        said.includes(
          'warning: the policy was not read again, the one before stays in use: the policy is wrong at "rules"',
        ),
      )
      const second = tatum.queue(ethPayment(2))
      await until(daemon, () => tatum.state.settled.has(second))

      // What a policy makes of the chains' own limits reaches the front as well.
      rewrite(home.folder, cheap)
      daemon.kill('SIGHUP')
      await until(daemon, said => said.split('the policy was read again').length === 3)
      const third = tatum.queue(ethPayment(3))
      await until(daemon, said => said.includes('above the limit of 1'))
      expect(tatum.state.settled.has(third)).toBe(false)
      daemon.kill('SIGTERM')
      expect(await daemon.ended).toBe(0)
    } finally {
      await stop(daemon, tatum)
    }
  }, 60_000)

  test('without a policy does not mind SIGHUP', async () => {
    using home = makeHome(template)
    const tatum = startFakeTatum({ network: 'mainnet' })
    const daemon = startDaemon(home.folder, tatum, options(tatum))
    try {
      const first = tatum.queue(ethPayment(1))
      await until(daemon, () => tatum.state.settled.has(first))
      daemon.kill('SIGHUP')
      await until(daemon, said => said.includes('there is no policy'))
      const second = tatum.queue(ethPayment(2))
      await until(daemon, () => tatum.state.settled.has(second))
      daemon.kill('SIGTERM')
      expect(await daemon.ended).toBe(0)
    } finally {
      await stop(daemon, tatum)
    }
  }, 60_000)

  test.each<readonly [string, string | undefined, number, number, string]>([
    ['wrong', `${deny}x = 1\n`, 0o600, 2, 'the policy is wrong at "x": no such member'],
    ['writable by others', allow, 0o622, 15, 'others than its owner may write to '],
    ['not there', undefined, 0o600, 2, 'there is no policy file at '],
  ])(
    'does not start when it is %s',
    async (_, text, mode, status, reason) => {
      using home = makeHome(template)
      const tatum = startFakeTatum({ network: 'mainnet' })
      try {
        if (text !== undefined) rewrite(home.folder, text)
        if (text !== undefined) chmodSync(policyIn(home.folder), mode)
        const args = [...options(tatum), `--policy=${policyIn(home.folder)}`]
        const ended = await runDaemonOnce(home.folder, tatum, args)
        expect(ended.said).toContain(reason)
        expect(ended.status).toBe(status)
        expect(tatum.state.settled.size).toBe(0)
      } finally {
        await tatum.stop()
      }
    },
    30_000,
  )
})

function start(folder: string, tatum: FakeTatum, text: string): DaemonProcess {
  rewrite(folder, text)
  return startDaemon(folder, tatum, [...options(tatum), `--policy=${policyIn(folder)}`])
}

function options({ approverUrl }: FakeTatum): readonly string[] {
  return ['--chain=ETH', '--period=0.1', `--external-url=${approverUrl}`]
}

function policyIn(folder: string): string {
  return join(folder, 'policy.toml')
}

function rewrite(folder: string, text: string): void {
  writeFileSync(policyIn(folder), text, { mode: 0o600 })
}

async function until(daemon: DaemonProcess, isSo: (said: string) => boolean): Promise<void> {
  for (let tries = 0; !isSo(daemon.said()); tries++) {
    if (tries > 400) throw new Error(`it never was so:\n${daemon.said()}`)
    await Bun.sleep(50)
  }
}

async function stop(daemon: DaemonProcess, tatum: FakeTatum): Promise<void> {
  try {
    process.kill(-daemon.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
  await daemon.ended
  await tatum.stop()
}
