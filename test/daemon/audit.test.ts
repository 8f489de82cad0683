import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeHome, startDaemon, until } from '../support/daemon-process.ts'
import { startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethPayment, wallets } from '../support/payments.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets } from '../support/test-vault.ts'

// The audit commands beside the program they are about.

const template = mkdtempSync(join(tmpdir(), 'kms-audit-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

const isLinux = process.platform === 'linux'

describe.skipIf(!isLinux)('while a daemon runs', () => {
  test('the ledger is verified, and neither waits for the other; nor after it was killed', async () => {
    using home = makeHome(template)
    await using tatum = startFakeTatum({ network: 'mainnet' })
    const args = [`--external-url=${tatum.approverUrl}`, '--period=1']
    const daemon = startDaemon(home.folder, tatum, args)
    const sent = (): number => daemon.said().split('payment sent').length - 1
    const heads: string[] = []
    try {
      await until(() => daemon.said().includes('daemon started'), daemon.said)
      for (let n = 1; n <= 4; n++) {
        const before = sent()
        tatum.queue(n % 2 === 0 ? btcPayment(n) : ethPayment(n))
        // What spends the same output is refused: a decision.
        if (n === 4) tatum.queue(btcPayment(5, {}, 2))
        const { status, answer } = await audit(home.folder, 'verify')
        expect(status).toBe(0)
        heads.push(answer.head)
        await until(() => sent() > before, daemon.said)
      }
      await until(() => daemon.said().includes('is already used'), daemon.said)
      const { status, answer } = await audit(home.folder, 'verify', `--head=${heads.at(-1)}`)
      expect(status).toBe(0)
      expect(answer).toMatchObject({ signed: 4, decisions: 1 })
      heads.push(answer.head)
    } finally {
      process.kill(-daemon.pid, 'SIGKILL')
      await daemon.ended
    }
    for (const head of heads) {
      const { status, answer } = await audit(home.folder, 'verify', `--head=${head}`)
      expect(status).toBe(0)
      expect(answer).toMatchObject({ signed: 4, decisions: 1 })
    }
  }, 60_000)
})

type Answer = { readonly head: string }

async function audit(folder: string, ...args: readonly string[]) {
  const files = [
    `--path=${join(folder, 'wallet.dat')}`,
    `--password-file=${join(folder, 'password')}`,
  ]
  const run = Bun.spawn([...binaryUnderTest, 'audit', ...args, ...files], {
    env: { HOME: folder },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const said = await run.stdout.text()
  return { status: await run.exited, answer: JSON.parse(said) as Answer }
}
