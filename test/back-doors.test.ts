import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from './support/certificate.ts'
import { makeHome, runDaemonOnce } from './support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from './support/fake-tatum.ts'
import { btcPayment, wallets } from './support/payments.ts'
import { binaryUnderTest } from './support/script.ts'
import { storeWallets } from './support/test-vault.ts'

/** What stands in the working directory, all of it somebody else's. */
const hostileFiles = {
  'evil.ts': "require('node:fs').writeFileSync('pwned', '')\nconsole.log('pwned')\n",
  '.env':
    'BUN_OPTIONS=--preload=./evil.ts\nTATUM_API_KEY=other\nTATUM_API_URL=http://127.0.0.1:9\n',
  '.env.local': 'NODE_TLS_REJECT_UNAUTHORIZED=0\n',
  'bunfig.toml': 'preload = ["./evil.ts"]\n',
  'package.json': '{"name":"x","type":"commonjs","imports":{"#x":"./evil.ts"},"main":"evil.ts"}',
  'tsconfig.json': '{"compilerOptions":{"paths":{"*":["./evil.ts"]}},"extends":"./evil.json"}',
}

const template = mkdtempSync(join(tmpdir(), 'kms-doors-'))
const { cert, key } = makeCertificate()
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum
/** Where a debugger, a proxy or a crash report would knock. */
let knocks = 0
const listener = Bun.listen({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      knocks++
      socket.end()
    },
    data() {},
  },
})
const nobody = `127.0.0.1:${listener.port}`

/** Variables that make Bun, or a library in it, do something else. */
const hostile: Readonly<Record<string, string>> = {
  BUN_BE_BUN: '1',
  BUN_OPTIONS: '--preload=./evil.ts',
  BUN_INSPECT: `ws://${nobody}/x`,
  BUN_INSPECT_CONNECT_TO: `ws://${nobody}/`,
  BUN_INSPECT_NOTIFY: `ws://${nobody}/`,
  BUN_INSPECT_PRELOAD: './evil.ts',
  BUN_BYTECODE_ORDER_OUT: './pwned',
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: './cache',
  BUN_CONFIG_VERBOSE_FETCH: 'curl',
  BUN_CRASH_REPORT_URL: `http://${nobody}/`,
  NODE_OPTIONS: '--require=./evil.ts',
  NODE_PATH: '.',
  NODE_EXTRA_CA_CERTS: './ca.pem',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  NODE_USE_ENV_PROXY: '1',
  SSL_CERT_FILE: './ca.pem',
  SSL_CERT_DIR: '.',
  HTTP_PROXY: `http://${nobody}`,
  HTTPS_PROXY: `http://${nobody}`,
  ALL_PROXY: `http://${nobody}`,
  http_proxy: `http://${nobody}`,
  https_proxy: `http://${nobody}`,
  NO_PROXY: '',
}

beforeAll(() => storeWallets(template, Object.values(wallets)))
afterAll(() => {
  listener.stop(true)
  rmSync(template, { recursive: true })
})

beforeEach(() => {
  knocks = 0
  home = makeHome(template)
  for (const [name, text] of Object.entries(hostileFiles))
    writeFileSync(join(home.folder, name), text)
  writeFileSync(join(home.folder, 'ca.pem'), cert, { mode: 0o600 })
  tatum = startFakeTatum({ network: 'mainnet' })
})
afterEach(async () => {
  await tatum.stop()
  home[Symbol.dispose]()
})

describe.skipIf(binaryUnderTest.length > 1)('the compiled program, in a hostile folder', () => {
  const commands = {
    help: ['--help'],
    list: ['list', '--path=wallet.dat', '--password-file=password'],
  }

  test.each(Object.entries(commands))(
    '%s does the same, whatever is set',
    (_, args) => {
      const clean = run(args, {}, mkdtempSync(join(home.folder, 'clean-')))
      expect(clean.exitCode).toBe(0)
      for (const [name, value] of [...Object.entries(hostile), ['', ''] as const]) {
        expect([name, run(args, name === '' ? hostile : { [name]: value })]).toEqual([name, clean])
      }
      expectNothingDone()
    },
    20_000,
  )

  test('the daemon pays as if nothing were set', async () => {
    const id = tatum.queue(btcPayment(1))
    const { status, said } = await runOnce(tatum, { env: hostile })
    expect(said).not.toMatch(/warning|error|pwned|curl/)
    expect(status).toBe(0)
    expect(tatum.state.settled.has(id)).toBe(true)
    expectNothingDone()
  })

  test('the daemon trusts no other authority because of a variable, but --ca-file', async () => {
    const { hostname, port } = new URL(tatum.url)
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      tls: { cert, key },
      fetch(request) {
        const { pathname, search } = new URL(request.url)
        return fetch(`http://${hostname}:${port}${pathname}${search}`, request)
      },
    })
    const overTls = { ...tatum, url: `https://127.0.0.1:${server.port}` }
    try {
      const id = tatum.queue(btcPayment(1))
      expect((await runOnce(overTls, { env: hostile })).status).toBe(30)
      expect(tatum.state.settled.size).toBe(0)
      const trusted = await runOnce(overTls, { env: hostile, args: ['--ca-file=ca.pem'] })
      expect(trusted).toMatchObject({ status: 0 })
      expect(tatum.state.settled.has(id)).toBe(true)
      expectNothingDone()
    } finally {
      server.stop(true)
    }
  })

  test('the daemon uses a proxy when --proxy says so, and not for this machine', async () => {
    const asked: string[] = []
    const proxy = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch(request) {
        asked.push(new URL(request.url).hostname)
        const { pathname, search } = new URL(request.url)
        return fetch(new URL(pathname + search, tatum.url), request)
      },
    })
    const elsewhere = { ...tatum, url: 'http://tatum.invalid/' }
    const args = ['--insecure-http', `--proxy=http://127.0.0.1:${proxy.port}`]
    try {
      const id = tatum.queue(btcPayment(1))
      expect(await runOnce(elsewhere, { env: hostile, args })).toMatchObject({ status: 0 })
      expect(tatum.state.settled.has(id)).toBe(true)
      expect([...new Set(asked)]).toEqual(['tatum.invalid'])
      asked.length = 0
      expect(await runOnce(tatum, { args })).toMatchObject({ status: 0 })
      expect(asked).toEqual([])
    } finally {
      proxy.stop(true)
    }
  })

  test.each([
    ['--ca-file=evil.ts', 'holds no certificate'],
    ['--ca-file=nowhere', 'there is no file at'],
    ['--proxy=socks5://127.0.0.1:1', '--proxy is'],
    ['--proxy=http://127.0.0.1:1/path', '--proxy is'],
  ])('%s is refused', async (option, reason) => {
    const { status, said } = await runOnce(tatum, { args: [option] })
    expect(said).toContain(reason)
    expect(status).toBe(2)
  })

  function run(args: readonly string[], env: Readonly<Record<string, string>>, from = home.folder) {
    const [path, password] = ['wallet.dat', 'password'].map(name => join(home.folder, name))
    const given = args.map(arg =>
      arg.replace('=wallet.dat', `=${path}`).replace('=password', `=${password}`),
    )
    const { stdout, stderr, exitCode } = Bun.spawnSync([...binaryUnderTest, ...given], {
      cwd: from,
      env: { HOME: home.folder, ...env },
    })
    return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode }
  }

  function runOnce(
    of: Pick<FakeTatum, 'url' | 'apiKey' | 'approverUrl'>,
    { env = {}, args = [] }: { env?: Readonly<Record<string, string>>; args?: readonly string[] },
  ) {
    const approver = `--external-url=${tatum.approverUrl}`
    return runDaemonOnce(home.folder, of, [approver, '--chain=BTC', ...args], { env })
  }

  function expectNothingDone(): void {
    expect(knocks).toBe(0)
    const names = readdirSync(home.folder)
    for (const name of ['pwned', 'cache']) expect(names).not.toContain(name)
  }
})

test('the hostile folder does run other code in an ordinary Bun', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-doors-'))
  for (const [name, text] of Object.entries(hostileFiles)) writeFileSync(join(folder, name), text)
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, 'src/x.ts'), '')
  Bun.spawnSync([process.execPath, 'src/x.ts'], { cwd: folder, env: { PATH: '/usr/bin' } })
  expect(readdirSync(folder)).toContain('pwned')
  rmSync(folder, { recursive: true })
})
