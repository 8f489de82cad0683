import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clockDifference } from '../../src/cli/doctor/ask-network.ts'
import { check } from '../../src/cli/doctor/check.ts'
import { files } from '../../src/cli/doctor/confinement.ts'
import { confined } from '../../src/cli/doctor/daemon.ts'
import { clock } from '../../src/cli/doctor/files.ts'
import { kernel, memoryLimit, openFiles, ptraceScope, swap } from '../../src/cli/doctor/machine.ts'
import { decodeQuestions, encodeQuestions } from '../../src/cli/doctor/network-questions.ts'
import { freeSpace } from '../../src/cli/doctor/state.ts'
import { makeHome, startDaemon } from '../support/daemon-process.ts'
import { startFakeTatum } from '../support/fake-tatum.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets, testPassword } from '../support/test-vault.ts'

test.each([
  [0, 'warning', 'no Landlock'],
  [1, 'ok', 'it does not limit ports (kernel 6.7) and signals (kernel 6.12) yet'],
  [4, 'ok', 'it does not limit signals (kernel 6.12) yet'],
  [7, 'ok', 'files, ports and signals'],
] as const)('Landlock %p is told of as it is', (version, result, about) => {
  expect(files(version)).toEqual([result, expect.stringContaining(about)])
})

test('a look that throws is a check that failed', async () => {
  const odd = await check('this', () => {
    throw new TypeError('x')
  })
  expect(odd).toEqual({ name: 'this', result: 'failed', about: 'internal fault' })
})

test.each([
  ['6.1.0-13-amd64', 'ok'],
  ['5.14', 'ok'],
  ['5.13.19', 'warning'],
  ['4.18.0-553.el8', 'warning'],
  ['', 'warning'],
])('linux %p is %s', (name, wanted) => expect(kernel(name)[0]).toBe(wanted as 'ok'))

test.each([
  ['Max locked memory         65536                65536                bytes', '64 KiB'],
  ['Max locked memory         unlimited            unlimited            bytes', 'unlimited'],
  ['Max stack size            8388608              unlimited            bytes', undefined],
  [undefined, undefined],
])('of %p the limit of locked memory is %p', (limits, wanted) => {
  expect(memoryLimit(limits)).toBe(wanted)
})

test.each([
  ['0\n', 'warning'],
  ['1\n', 'ok'],
  ['3\n', 'ok'],
  [undefined, 'warning'],
])('ptrace_scope %p is %s', (text, wanted) => expect(ptraceScope(text)[0]).toBe(wanted as 'ok'))

const heads = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
test.each([
  [heads, 'ok'],
  [`${heads}/dev/dm-1 partition 999 0 -2\n`, 'warning'],
  [undefined, 'warning'],
])('swap %p is %s', (text, wanted) => expect(swap(text)[0]).toBe(wanted as 'ok'))

describe('the clock', () => {
  const newYear = Date.UTC(2026, 0, 1)
  test('before this program was made is wrong', () => {
    expect(clock(newYear - 1, undefined)).toEqual([
      'failed',
      'the clock says 2025-12-31T23:59:59.999Z, which cannot be',
      'let NTP set the clock',
    ])
    expect(clock(newYear, undefined)[0]).toBe('ok')
  })
  test('before the newest password was set is wrong', () => {
    expect(clock(newYear, [newYear - 5, newYear + 1])[0]).toBe('failed')
    expect(clock(newYear, [newYear])).toEqual(['ok', '2026-01-01T00:00:00.000Z'])
  })
})

test.each([
  ['Max open files            1024                 1048576              files', 'ok'],
  ['Max open files            unlimited            unlimited            files', 'ok'],
  ['Max open files            256                  1048576              files', 'warning'],
  [undefined, 'warning'],
])('of %p open files are %s', (limits, wanted) => {
  expect(openFiles(limits)[0]).toBe(wanted as 'ok')
})

test.each([
  [2 ** 31, 'ok', '/x has 2048 MiB left'],
  [2 ** 30 - 1, 'warning', '/x has 1023 MiB left'],
  [2 ** 26 - 1, 'failed', '/x has 63 MiB left'],
  [0, 'failed', '/x has 0 MiB left'],
] as const)('%p bytes of room are %s', (bytes, wanted, about) => {
  expect(freeSpace('/x', bytes).slice(0, 2)).toEqual([wanted, about])
})

test.each([
  [0, 'ok', 'they differ by 0 s'],
  [60_400, 'ok', 'they differ by 60 s'],
  [-60_600, 'warning', 'our clock is 61 s behind theirs'],
  [3_600_000, 'warning', 'our clock is 3600 s ahead of theirs'],
] as const)('a clock that is %p ms ahead is %s', (ms, wanted, about) => {
  expect(clockDifference(ms).slice(0, 2)).toEqual([wanted, about])
})

describe('a daemon that runs', () => {
  const good = 'Name:\tx\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n'
  test.each([
    [good, good, 'ok', 'confined'],
    [good, good.replace('Seccomp:\t2', 'Seccomp:\t0'), 'warning', 'its front may make any'],
    [good.replace('NoNewPrivs:\t1', 'NoNewPrivs:\t0'), good, 'warning', 'its signer may gain'],
    [good, undefined, 'warning', 'its front is not to be seen'],
    ['', '', 'warning', 'its signer'],
  ] as const)('is looked at through the kernel', (signer, front, result, about) => {
    const [found, said] = confined({ signer, front })
    expect(found).toBe(result)
    expect(said).toContain(about)
  })
})

describe('the questions for the network', () => {
  const questions = {
    apiUrl: 'https://api.tatum.io',
    apiKey: 'key',
    approverUrl: null,
    sharedJournal: null,
    insecureHttp: true,
    authorities: 'PEM',
    proxy: null,
  }
  test('are read as they were written', () => {
    expect(decodeQuestions(encodeQuestions(questions))).toEqual(questions)
  })
  test.each(['', 'x', '[]', 'null', '"x"', '1'])('are not %p', text => {
    expect(decodeQuestions(text)).toBeUndefined()
  })
})

/** What `doctor --json` says with the Tatum API at `url`, by name, and its status. */
async function doctorAt(url: string, args: readonly string[] = [], env = {}) {
  const home = mkdtempSync(join(tmpdir(), 'kms-doctor-'))
  try {
    await storeWallets(home, [])
    const path = `--path=${join(home, 'wallet.dat')}`
    const run = Bun.spawn([...binaryUnderTest, 'doctor', '--json', path, ...args], {
      cwd: home,
      env: { HOME: home, TATUM_API_URL: url, TATUM_API_KEY: apiKey, ...env },
      stdin: 'ignore',
      stderr: 'pipe',
    })
    const checks: readonly { readonly name: string }[] = JSON.parse(await run.stdout.text())
    return { status: await run.exited, found: new Map(checks.map(each => [each.name, each])) }
  } finally {
    rmSync(home, { recursive: true })
  }
}

const apiKey = 'the-key-of-the-test'

function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer })
  const stop = () => server.stop(true)
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: stop }
}

describe('the Tatum API', () => {
  test('with another time and a newer protocol is told of', async () => {
    const headers = {
      date: new Date(Date.now() + 7_200_000).toUTCString(),
      'x-ttm-kms-latest-version': '8.2.0;INFO;new things at https://evil.example/x',
    }
    await using api = serve(() => Response.json([], { headers }))
    const { found, status } = await doctorAt(api.url)
    expect(found.get('Tatum API')).toMatchObject({ result: 'ok' })
    expect(found.get("clock and the API's")).toMatchObject({
      result: 'warning',
      about: expect.stringMatching(/^our clock is 7(199|200|201) s behind theirs$/),
    })
    expect(found.get('protocol')).toMatchObject({
      result: 'warning',
      about: expect.stringMatching(/^Tatum knows version 8\.2\.0 \(INFO, [ -~]*\[url\]\), this/),
    })
    expect(status).toBe(0)
  }, 30_000)

  const odd: readonly (readonly [string, () => Response])[] = [
    ['a redirect', () => Response.redirect('http://127.0.0.1:1/')],
    ['nonsense', () => new Response('\u0000<html>')],
    ['a refusal', () => Response.json({ message: `no key ${apiKey}` }, { status: 401 })],
    ['too much', () => new Response('['.repeat(9 * 2 ** 20))],
  ]
  test.each(odd)(
    'that answers with %s has failed, and only that',
    async (_, answer) => {
      await using api = serve(answer)
      const { found, status } = await doctorAt(api.url)
      expect(found.get('Tatum API')).toMatchObject({ result: 'failed' })
      expect(JSON.stringify([...found])).not.toContain(apiKey)
      expect(found.get('vault')).toMatchObject({ result: 'ok' })
      expect(status).toBe(3)
    },
    30_000,
  )
})

test.skipIf(process.platform !== 'linux')(
  'who asks over the network has neither password nor vault, and no secret to be seen by',
  async () => {
    const seen: string[] = []
    await using api = serve(() => {
      seen.push(...shownOf('ask-network'))
      return Response.json([])
    })
    const { found } = await doctorAt(api.url, [], { TATUM_KMS_PASSWORD: testPassword })
    expect(found.get('Tatum API')).toMatchObject({ result: 'ok' })
    expect(found.get('password')).toMatchObject({ result: 'ok' })
    const [shown = ''] = seen
    expect(shown).toContain('ask-network')
    expect(shown).not.toContain(apiKey)
    expect(shown).not.toContain(testPassword)
    expect(shown).not.toContain('wallet.dat')
  },
  30_000,
)

test.skipIf(!hasPostgres)(
  'a journal in a database is looked at, beside an open vault',
  async () => {
    await using postgres = await startPostgres()
    const { url } = await postgres.createDatabase()
    const { found } = await doctorAt('http://127.0.0.1:9', ['--offline'], {
      TATUM_KMS_JOURNAL_URL: url,
    })
    expect(found.get('journal')).toMatchObject({ about: 'in a database that daemons share' })
    expect(found.has('journal database')).toBe(false)
    await using api = serve(() => Response.json([]))
    const asked = await doctorAt(api.url, [], {
      TATUM_KMS_JOURNAL_URL: url,
      TATUM_KMS_PASSWORD: testPassword,
    })
    expect(asked.found.get('password')).toMatchObject({ result: 'ok' })
    expect(asked.found.get('journal database')).toMatchObject({
      result: 'ok',
      about: 'it answers; the daemon makes a journal',
    })
  },
  60_000,
)

test.skipIf(process.platform !== 'linux')(
  'a daemon that runs is found confined',
  async () => {
    const empty = mkdtempSync(join(tmpdir(), 'kms-doctor-'))
    using home = makeHome(empty)
    await storeWallets(home.folder, [])
    await using tatum = startFakeTatum()
    const daemon = startDaemon(home.folder, tatum, [`--external-url=${tatum.approverUrl}`])
    const look = async () => {
      const path = `--path=${join(home.folder, 'wallet.dat')}`
      const run = Bun.spawn([...binaryUnderTest, 'doctor', path], { env: { HOME: home.folder } })
      return /^\w+ +daemon +.*$/m.exec(await run.stdout.text())?.[0]
    }
    let line = await look()
    while (!line?.includes('confined')) {
      await Bun.sleep(200)
      line = await look()
    }
    expect(line).toMatch(/^ok /)
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(0)
    rmSync(empty, { recursive: true })
  },
  60_000,
)

/** Arguments and variables of the processes that were started with `word`. */
function shownOf(word: string): readonly string[] {
  return readdirSync('/proc').flatMap(pid => {
    try {
      const shown = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      if (!shown.split('\0').includes(word)) return []
      return [shown + readFileSync(`/proc/${pid}/environ`, 'latin1')]
    } catch {
      return []
    }
  })
}
