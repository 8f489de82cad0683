import { Database } from 'bun:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realDisk, withLock } from '../../src/base/disk.ts'
import {
  type DaemonProcess,
  frontOf,
  makeHome,
  runDaemonOnce,
  startDaemon,
  until,
} from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethAddress, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets, testPassword } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-processes-'))
const otherTemplates = mkdtempSync(join(tmpdir(), 'kms-processes-'))
const unknownId = '99999999-9999-4999-8999-999999999999'
const stillRunning = new Set<DaemonProcess>()
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum

beforeAll(() => storeWallets(template, Object.values(wallets)))
afterAll(() => {
  for (const folder of [template, otherTemplates]) rmSync(folder, { recursive: true })
})

beforeEach(() => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
})

afterEach(async () => {
  for (const daemon of stillRunning) daemon.kill('SIGKILL')
  await Promise.all([...stillRunning].map(({ ended }) => ended))
  stillRunning.clear()
  await tatum.stop()
  home[Symbol.dispose]()
})

describe('run once', () => {
  test('pays ETH and BTC on main networks, with an approver', async () => {
    const ids = [tatum.queue(ethPayment(1)), tatum.queue(btcPayment(2))]
    const { status, said } = await once()
    expect(said).not.toMatch(/error|warning/)
    expect(status).toBe(0)
    for (const id of ids) expect(tatum.state.settled.get(id)).toHaveLength(1)
    const approved = tatum.state.requests.filter(({ route }) => route === 'approve')
    expect(approved.map(({ path }) => path).toSorted()).toEqual(ids.map(id => `/approve/${id}`))
    expect(await once()).toMatchObject({ status: 0 })
  })

  test('with --testnet uses the wallets of test networks alone, and needs no approver', async () => {
    await using testTatum = startFakeTatum({ network: 'testnet' })
    testTatum.queue(ethPayment(1, { hashes: [wallets.ethTestnet.id] }))
    const { status } = await runDaemonOnce(home.folder, testTatum, ['--testnet'])
    expect(status).toBe(0)
    expect(testTatum.state.settled.size).toBe(1)
    expect(asked(testTatum)).toEqual([wallets.ethTestnet.id])
  })

  test('with --chain polls these chains only', async () => {
    tatum.queue(ethPayment(1))
    tatum.queue(btcPayment(2))
    expect(await once('--chain=BTC')).toMatchObject({ status: 0 })
    expect([...tatum.state.settled.keys()]).toEqual([pendingIdOf(2)])
  })

  test('with --wallets asks for these alone, and says which of them are not there', async () => {
    const listed = [wallets.btcKey.id, unknownId]
    const { status, said } = await once(`--wallets=${listed.join(',').toUpperCase()}`)
    expect(status).toBe(0)
    expect(asked(tatum)).toEqual([wallets.btcKey.id])
    expect(said.match(/wallet not in the vault/g)).toHaveLength(1)
    expect(said).toContain(unknownId)
  })

  test('with --transactionIds pays these alone', async () => {
    for (const n of [1, 2, 3]) tatum.queue(btcPayment(n))
    const ids = [pendingIdOf(3), pendingIdOf(1)]
    expect(await once(`--transactionIds=${ids.join(',')}`)).toMatchObject({ status: 0 })
    expect([...tatum.state.settled.keys()].toSorted()).toEqual(ids.toSorted())
    expect(await once()).toMatchObject({ status: 0 })
    expect(tatum.state.settled.size).toBe(3)
  })

  test.each(['--wallets=', '--wallets=1', `--wallets=${unknownId},`, '--transaction-ids=a b'])(
    'with %p is refused',
    async flag => {
      expect(await once(flag)).toMatchObject({ status: 2 })
      expect(tatum.state.requests).toEqual([])
    },
  )
})

describe('exit status', () => {
  test('0 when nothing waits', async () => {
    expect(await once()).toMatchObject({ status: 0 })
  })

  test('2 without an approver on main networks', async () => {
    const { status, said } = await runDaemonOnce(home.folder, tatum, [])
    expect({ status, requests: tatum.state.requests }).toEqual({ status: 2, requests: [] })
    expect(said).toContain('--external-url')
  })

  test('2 without an API key', async () => {
    expect(
      await runDaemonOnce(home.folder, tatum, approver(), { env: { TATUM_API_KEY: '' } }),
    ).toMatchObject({
      status: 2,
    })
  })

  test.each([
    ['TATUM_KMS_VET_URL', 'http://sync.example.com', 'the VeChain node'],
    ['TATUM_KMS_FLOW_URL', 'rest.example.com', 'the Flow node'],
  ])('2 when %s is %s', async (name, url, node) => {
    const env = { [name]: url }
    const { status, said } = await runDaemonOnce(home.folder, tatum, approver(), { env })
    expect({ status, requests: tatum.state.requests }).toEqual({ status: 2, requests: [] })
    expect(said).toContain(node)
  })

  test('3 when only some were paid', async () => {
    tatum.queue(btcPayment(1))
    tatum.queue(btcPayment(2, { serializedTransaction: '{' }))
    expect(await once()).toMatchObject({ status: 3 })
  })

  test('10 without a vault', async () => {
    rmSync(join(home.folder, 'wallet.dat'))
    expect(await once()).toMatchObject({ status: 10 })
    expect(tatum.state.requests).toEqual([])
  })

  test('11 for a second daemon on the same vault', async () => {
    const first = start()
    await until(() => tatum.state.requests.length > 0, first.said)
    const { status, said } = await once('--lock-wait=0')
    expect(status).toBe(11)
    expect(said).toContain('another process holds')
    expect(await stop(first)).toBe(0)
  })

  test('12 with the wrong password, before anything is polled', async () => {
    writeFileSync(join(home.folder, 'password'), 'another password\n', { mode: 0o600 })
    const { status, said } = await once()
    expect({ status, requests: tatum.state.requests }).toEqual({ status: 12, requests: [] })
    expect(said.split('\n').filter(line => line.includes('error'))).toHaveLength(1)
  })

  test.each([
    ['a byte of the header changed', (file: Buffer) => file.fill(0xff, 20, 21)],
    ['a byte of the body changed', (file: Buffer) => file.with(-20, (file.at(-20) ?? 0) ^ 1)],
    ['its end missing', (file: Buffer) => file.subarray(0, -1)],
    ['text in its place', () => Buffer.from('U2FsdGVkX1+not ours')],
    ['nothing in it', () => Buffer.alloc(0)],
  ])('13 for a vault with %s, which stays as it is', async (_, damage) => {
    const path = join(home.folder, 'wallet.dat')
    const damaged = Buffer.from(damage(readFileSync(path)))
    writeFileSync(path, damaged)
    expect(await once()).toMatchObject({ status: 13 })
    expect(readFileSync(path).equals(damaged)).toBe(true)
    expect(tatum.state.requests).toEqual([])
  })

  test('13 for a ledger that is not this vault’s', async () => {
    tatum.queue(btcPayment(1))
    await once()
    const db = new Database(join(home.folder, 'wallet.dat.ledger'))
    db.run(`UPDATE signed SET tx_data = '00'`)
    db.close()
    expect(await once()).toMatchObject({ status: 13 })
  })

  test('14 for a vault that is older than the ledger remembers', async () => {
    const old = readFileSync(join(home.folder, 'wallet.dat'))
    await storeWallets(home.folder, [{ ...wallets.ethKey, id: unknownId }])
    expect(await once()).toMatchObject({ status: 0 })
    writeFileSync(join(home.folder, 'wallet.dat'), old)
    tatum.queue(btcPayment(1))
    expect(await once()).toMatchObject({ status: 14 })
    expect(tatum.state.settled.size).toBe(0)
  })

  test('21 when the approver says no', async () => {
    tatum.queue(btcPayment(1))
    tatum.onApproval(() => 403)
    expect(await once()).toMatchObject({ status: 21 })
    expect(tatum.state.broadcasts.size).toBe(0)
  })

  test('22 when the approver cannot be reached', async () => {
    tatum.queue(btcPayment(1))
    expect(
      await runDaemonOnce(home.folder, tatum, ['--external-url=http://127.0.0.1:9']),
    ).toMatchObject({ status: 22 })
    expect(tatum.state.broadcasts.size).toBe(0)
  })

  test('30 when the API is down', async () => {
    const env = { TATUM_API_URL: 'http://127.0.0.1:9' }
    expect(await runDaemonOnce(home.folder, tatum, approver(), { env })).toMatchObject({
      status: 30,
    })
  })

  test('31 when the API refuses the key, which is in no line', async () => {
    const env = { TATUM_API_KEY: 'a-key-that-is-wrong' }
    const { status, said } = await runDaemonOnce(home.folder, tatum, approver(), { env })
    expect(status).toBe(31)
    expect(said).not.toContain('a-key-that-is-wrong')
  })

  test('40 for a transaction that cannot be signed', async () => {
    tatum.queue(btcPayment(1, { serializedTransaction: '{' }))
    expect(await once()).toMatchObject({ status: 40 })
  })
})

describe.skipIf(process.platform !== 'linux')('two processes', () => {
  const apiKey = 'an-api-key-to-look-for'
  const env = { TATUM_KMS_PASSWORD: testPassword, SOME_SECRET: 'a variable to look for' }

  test.each(['in the environment', 'on the command line'])(
    'the front shows neither key nor password, the signer shows nothing; API key %s',
    async where => {
      await using own = startFakeTatum({ network: 'mainnet', apiKey })
      const onCommandLine = where === 'on the command line'
      const daemon = start(
        onCommandLine ? [`--api-key=${apiKey}`] : [],
        { ...env, TATUM_API_KEY: onCommandLine ? '' : apiKey },
        own,
      )
      await until(() => asked(own).length > 0, daemon.said)
      const front = frontOf(daemon)
      const shown = [daemon.pid, front].map(pid => ({
        environment: readFileSync(`/proc/${pid}/environ`, 'latin1'),
        line: readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
      }))
      expect(shown[0]?.environment).toMatch(/^BUN_JSC_thresholdForFTLOptimizeAfterWarmUp=\d+\0$/)
      for (const { environment, line } of shown) {
        expect(environment).not.toMatch(/TATUM|KMS|SECRET|HOME/)
        for (const secret of [apiKey, testPassword, env.SOME_SECRET]) {
          expect(line + environment).not.toContain(secret)
        }
      }
      expect(shown[0]?.line).toContain('signer')
      expect(shown[1]?.line).toContain('front')
      expect(await stop(daemon)).toBe(0)
    },
  )

  test('the front holds no file of the vault open, the signer no socket to anywhere', async () => {
    const daemon = start()
    await until(() => tatum.state.requests.length > 0, daemon.said)
    expect(openFiles(frontOf(daemon)).filter(name => /wallet\.dat|password/.test(name))).toEqual([])
    // Bun makes the pipes of a child's stdio out of sockets, too.
    const [, , , ...others] = openFiles(daemon.pid)
    expect(others.filter(name => name.startsWith('socket:'))).toHaveLength(1)
    expect(openFiles(daemon.pid).filter(name => name.includes('password'))).toEqual([])
    expect(await stop(daemon)).toBe(0)
  })

  test('when the front is killed, the signer says so and ends', async () => {
    const daemon = start()
    await until(() => tatum.state.requests.length > 0, daemon.said)
    process.kill(frontOf(daemon) ?? 0, 'SIGKILL')
    expect(await daemon.ended).toBe(1)
    expect(daemon.said()).toContain('the network process was ended by signal 9')
  })

  test('when the signer is killed, the front ends', async () => {
    const daemon = start()
    await until(() => tatum.state.requests.length > 0, daemon.said)
    const front = frontOf(daemon)
    daemon.kill('SIGKILL')
    // Both hold stderr: it ends when the front is gone, too.
    expect(await daemon.ended).toBe('SIGKILL')
    expect(isRunning(front)).toBe(false)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets a payment finish and exits 0',
    async signal => {
      const id = tatum.queue(btcPayment(1))
      tatum.fail('broadcast', { kind: 'delay', ms: 500 })
      const daemon = start()
      await until(
        () => tatum.state.requests.some(({ route }) => route === 'broadcast'),
        daemon.said,
      )
      daemon.kill(signal)
      expect(await daemon.ended).toBe(0)
      expect(tatum.state.settled.get(id)).toHaveLength(1)
      expect(daemon.said()).toContain('payment sent')
    },
  )

  test('a signal to the whole group, as Ctrl-C sends it, exits 0', async () => {
    const daemon = start()
    await until(() => tatum.state.requests.length > 0, daemon.said)
    process.kill(-daemon.pid, 'SIGINT')
    expect(await daemon.ended).toBe(0)
  })

  test('SIGTERM does not wait for a poll that hangs', async () => {
    tatum.fail('pending', { kind: 'hang' })
    const daemon = start()
    await until(() => tatum.state.requests.length > 0, daemon.said)
    const started = performance.now()
    expect(await stop(daemon)).toBe(0)
    expect(performance.now() - started).toBeLessThan(3000)
  })
})

describe('a run that is cut short', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s while a poll hangs: 143', async signal => {
    tatum.fail('pending', { kind: 'hang' })
    const daemon = start(['--run-once'])
    await until(() => polls() > 0, daemon.said)
    daemon.kill(signal)
    expect(await daemon.ended).toBe(143)
  })

  test('SIGTERM while the approver thinks: 143, and nothing is signed', async () => {
    for (let n = 1; n <= 20; n++) tatum.queue(btcPayment(n))
    tatum.fail('approve', { kind: 'delay', ms: 300 })
    const daemon = start(['--run-once'])
    await until(() => tatum.state.requests.some(({ route }) => route === 'approve'), daemon.said)
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(143)
    expect(tatum.state.broadcasts.size).toBe(0)
    expect(await once()).toMatchObject({ status: 0 })
    expect(tatum.state.settled.size).toBe(20)
  })
})

describe('one journal folder', () => {
  test('bytes of main networks are not touched by a daemon of test networks', async () => {
    const id = tatum.queue(btcPayment(1))
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    expect(await once()).toMatchObject({ status: 30 })
    tatum.heal()
    await using testTatum = startFakeTatum({ network: 'testnet' })
    expect(await runDaemonOnce(home.folder, testTatum, ['--testnet'])).toMatchObject({ status: 0 })
    expect(testTatum.state.requests.map(({ route }) => route)).toEqual(['pending'])
    expect(await once()).toMatchObject({ status: 0 })
    expect(tatum.state.settled.has(id)).toBe(true)
  })

  test('bytes of one vault are not touched by the daemon of another', async () => {
    using other = makeHome(await otherTemplate())
    const journal = `--journal=${join(home.folder, 'journal')}`
    const id = tatum.queue(btcPayment(1))
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    expect(await once()).toMatchObject({ status: 30 })
    tatum.heal()
    await using otherTatum = startFakeTatum({ network: 'mainnet' })
    expect(
      await runDaemonOnce(other.folder, otherTatum, [...approver(otherTatum), journal]),
    ).toMatchObject({ status: 0 })
    expect(otherTatum.state.requests.every(({ route }) => route === 'pending')).toBe(true)
    expect(await once()).toMatchObject({ status: 0 })
    expect(tatum.state.settled.has(id)).toBe(true)
  })

  test('is of one daemon at a time: a second one waits, or ends when it is told to', async () => {
    using other = makeHome(await otherTemplate())
    const journal = `--journal=${join(home.folder, 'journal')}`
    await using otherTatum = startFakeTatum({ network: 'mainnet' })
    const args = [...approver(otherTatum), '--period=0.1', journal]
    const first = start()
    await until(() => polls() > 0, first.said)
    const impatient = remember(startDaemon(other.folder, otherTatum, args))
    await Bun.sleep(1_500)
    const stoppedAt = performance.now()
    expect(await stop(impatient)).toBe(0)
    expect(performance.now() - stoppedAt).toBeLessThan(3_000)
    const second = remember(startDaemon(other.folder, otherTatum, args))
    await Bun.sleep(1_500)
    expect(otherTatum.state.requests).toEqual([])
    expect(await stop(first)).toBe(0)
    await until(() => otherTatum.state.requests.length > 0, second.said)
    expect(await stop(second)).toBe(0)
  }, 20_000)

  test('that stays taken ends the daemon with 11', async () => {
    const folder = join(home.folder, 'journal')
    mkdirSync(folder, { mode: 0o700 })
    await withLock(realDisk, join(folder, 'payments.sqlite'), 0, async () => {
      const { status, said } = await once('--lock-wait=1')
      expect(status).toBe(11)
      expect(said).toContain('payments.sqlite.lock')
    })
    expect(tatum.state.requests).toEqual([])
  })

  async function otherTemplate(): Promise<string> {
    const folder = join(otherTemplates, 'other')
    if (!existsSync(folder)) {
      mkdirSync(folder, { mode: 0o700 })
      await storeWallets(folder, Object.values(wallets))
    }
    return folder
  }
})

describe('the vault while the daemon runs', () => {
  test('a wallet added by another command is polled at the next cycle', async () => {
    const daemon = start()
    await until(() => tatum.state.requests.length > 1, daemon.said)
    const key = `0x${'08'.repeat(32)}`
    const added = Bun.spawnSync(
      [
        ...binaryUnderTest,
        'storemanagedprivatekey',
        'ETH',
        `--path=${join(home.folder, 'wallet.dat')}`,
        `--password-file=${join(home.folder, 'password')}`,
      ],
      { env: { HOME: home.folder }, stdin: Buffer.from(`${key}\n`) },
    )
    const { signatureId } = JSON.parse(added.stdout.toString())
    const id = tatum.queue(ethPayment(9, { hashes: [signatureId] }))
    await until(() => tatum.state.settled.has(id), daemon.said)
    expect(daemon.said()).toContain('vault reloaded')
    expect(await stop(daemon)).toBe(0)
  })

  test('an older copy in its place ends the daemon with 14', async () => {
    const old = readFileSync(join(home.folder, 'wallet.dat'))
    await storeWallets(home.folder, [{ ...wallets.ethKey, id: unknownId }])
    const daemon = start()
    await until(() => tatum.state.requests.length > 0, daemon.said)
    writeFileSync(join(home.folder, 'wallet.dat'), old)
    expect(await daemon.ended).toBe(14)
  })
})

describe('a hostile answer to one chain', () => {
  const wrongShapes = [
    '{}',
    'null',
    '7',
    '"text"',
    '',
    '[',
    '{"a":[',
    '<html>',
    '\0',
    `[${'1,'.repeat(10_001)}1]`,
  ]
  const chains = ['ETH', 'BTC'] as const

  test.each(
    chains.flatMap(chain => wrongShapes.map(body => [chain, body.slice(0, 20), body] as const)),
  )('%s gets %j: the other goes on', async (chain, _, body) => {
    tatum.fail('pending', { kind: 'answer', body }, { chain })
    const [paid, held] = queueBoth(chain)
    expect(await once()).toMatchObject({ status: 3 })
    expect([...tatum.state.settled.keys()]).toEqual([paid])
    tatum.heal()
    expect(await once()).toMatchObject({ status: 0 })
    expect(tatum.state.settled.has(held)).toBe(true)
  })

  test.each(
    chains.flatMap(chain => [
      [chain, 'a wrong shape', { kind: 'answer', body: '{"errors":[]}' } as const],
      [chain, 'half of it', { kind: 'answer', body: '[{"id":"0000000000' } as const],
      [chain, '100 MB', { kind: 'flood', bytes: 100_000_000 } as const],
      [chain, 'a status of 500', { kind: 'answer', status: 500 } as const],
      [chain, 'a closed connection', { kind: 'close-before-acting' } as const],
      [chain, 'half of the connection', { kind: 'close-after-acting' } as const],
      [chain, 'deep JSON', { kind: 'answer', body: '['.repeat(2_000_000) } as const],
    ]),
  )(
    '%s gets %s: the daemon goes on and is well again at the next cycle',
    async (chain, _, fault) => {
      tatum.fail('pending', fault, { chain })
      const [paid, held] = queueBoth(chain)
      const daemon = start()
      await until(() => tatum.state.settled.has(paid), daemon.said)
      await until(() => daemon.said().includes('poll failed'), daemon.said)
      expect(tatum.state.settled.has(held)).toBe(false)
      tatum.heal()
      await until(() => tatum.state.settled.has(held), daemon.said)
      const second = tatum.queue(chain === 'ETH' ? btcPayment(5) : ethPayment(5))
      await until(() => tatum.state.settled.has(second), daemon.said)
      expect(daemon.said().match(/poll failed/g)).toHaveLength(1)
      expect(daemon.said().match(/poll works again/g)).toHaveLength(1)
      expect(await stop(daemon)).toBe(0)
    },
  )

  test.each(
    chains.flatMap(chain => [
      [chain, 'drips without end', { kind: 'drip' } as const],
      [chain, 'never comes', { kind: 'hang' } as const],
    ]),
  )('the answer to %s %s: the other chain does not wait', async (chain, _, fault) => {
    tatum.fail('pending', fault, { chain, times: 1 })
    const daemon = start()
    for (const n of [1, 2, 3]) {
      const id = tatum.queue(chain === 'ETH' ? btcPayment(n) : ethPayment(n))
      await until(() => tatum.state.settled.has(id), daemon.said)
    }
    expect(await stop(daemon)).toBe(0)
  })

  function queueBoth(held: 'ETH' | 'BTC'): readonly [paid: string, held: string] {
    const eth = tatum.queue(ethPayment(1))
    const btc = tatum.queue(btcPayment(2))
    return held === 'ETH' ? [btc, eth] : [eth, btc]
  }
})

describe('a malformed pending transaction', () => {
  const good = btcPayment(50)
  const hostile: readonly (readonly [string, unknown, string])[] = [
    ['malformed JSON', btcPayment(1, { serializedTransaction: '{"inputs":[' }), 'JSON object'],
    ['an unknown chain', { ...btcPayment(2), chain: 'DOGE' }, 'not for BTC'],
    ['an unknown signatureId', btcPayment(3, { hashes: [unknownId] }), 'no wallet'],
    ['a wallet of another chain', btcPayment(4, { hashes: [wallets.ethKey.id] }), 'ETH wallet'],
    ['no index where one is needed', btcPayment(5, { hashes: [wallets.btcMnemonic.id] }), 'index'],
    ['an index of 2^31', { ...btcPayment(6), index: 2 ** 31 }, 'member index'],
    ['an index that is text', { ...btcPayment(7), index: '0' }, 'member index'],
    ['a negative index', { ...btcPayment(8), index: -1 }, 'member index'],
    ['no transaction', { ...btcPayment(9), serializedTransaction: null }, 'serializedTransaction'],
    ['hashes that are not a list', { ...btcPayment(10), hashes: 'x' }, 'member hashes'],
    ['an unknown member', withMember(11, 'sighash', 2), 'unknown member'],
    ['more out than in', withMember(12, 'outputs', [{ satoshis: 1e6, script: '51' }]), 'outputs'],
  ]

  test('is refused alone and reported once, with a sentence; the others go on', async () => {
    const entries = [...hostile.map(([, entry]) => entry), good, 7, null, { id: 1 }]
    tatum.queue(good)
    tatum.fail('pending', { kind: 'answer', body: JSON.stringify(entries) }, { chain: 'BTC' })
    const daemon = start()
    await until(() => tatum.state.reports.length > 0, daemon.said)
    await until(() => polls() > 4, daemon.said)
    expect(await stop(daemon)).toBe(0)
    expect(tatum.state.settled.has(good.id)).toBe(true)
    expect(tatum.state.broadcasts.size).toBe(1)
    const reports = tatum.state.reports.toSorted((a, b) => (a.signatureId < b.signatureId ? -1 : 1))
    expect(reports).toEqual(
      hostile.map(([, entry, reason]) => ({
        signatureId: (entry as { id: string }).id,
        error: expect.stringContaining(reason),
      })),
    )
    for (const { error } of tatum.state.reports) {
      expect(error).toMatch(/^[ -~]{10,200}$/)
      expect(error).not.toMatch(/https?:|Error|internal| at /)
    }
  })

  test('of a wallet on another network is one', async () => {
    const id = ethPayment(1, { hashes: [wallets.ethTestnet.id] })
    tatum.fail('pending', { kind: 'answer', body: JSON.stringify([id]) }, { chain: 'ETH' })
    expect(await once()).toMatchObject({ status: 40 })
    expect(tatum.state.reports).toMatchObject([{ error: expect.stringContaining('on testnet') }])
  })

  function withMember(n: number, name: string, value: unknown) {
    const tx = JSON.parse(btcPayment(n).serializedTransaction)
    return btcPayment(n, { serializedTransaction: JSON.stringify({ ...tx, [name]: value }) })
  }
})

function approver(of = tatum): readonly string[] {
  return [`--external-url=${of.approverUrl}`]
}

function once(...args: readonly string[]) {
  return runDaemonOnce(home.folder, tatum, [...approver(), ...args])
}

function start(args: readonly string[] = [], env = {}, of = tatum): DaemonProcess {
  return remember(startDaemon(home.folder, of, [...approver(of), '--period=0.1', ...args], { env }))
}

/** Killed after the test if it is still there. */
function remember(daemon: DaemonProcess): DaemonProcess {
  stillRunning.add(daemon)
  daemon.ended.finally(() => stillRunning.delete(daemon))
  return daemon
}

function stop(daemon: DaemonProcess): Promise<number | string> {
  daemon.kill('SIGTERM')
  return daemon.ended
}

function polls(): number {
  return tatum.state.requests.filter(({ route }) => route === 'pending').length
}

/** Wallets that were polled for. */
function asked({ state }: FakeTatum): readonly string[] {
  return state.requests
    .filter(({ route }) => route === 'pending')
    .flatMap(({ body }) => (body as { signatureIds: string[] }).signatureIds)
}

/** What nobody has waited for is a zombie: it is not running, either. */
function isRunning(pid: number | undefined): boolean {
  const status = `/proc/${pid}/status`
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, 'latin1'))
}

function openFiles(pid: number | undefined): readonly string[] {
  const descriptors = readdirSync(`/proc/${pid}/fd`).toSorted((a, b) => Number(a) - Number(b))
  return descriptors.map(fd => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return 'closed meanwhile'
    }
  })
}
