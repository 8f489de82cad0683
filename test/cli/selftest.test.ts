import { describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { serializeTransaction } from 'viem/celo'
import { KmsError } from '../../src/base/errors.ts'
import { chains } from '../../src/chains/index.ts'
import { runChecks, type SelfCheck } from '../../src/cli/selftest/check.ts'
import payments from '../../src/cli/selftest/payments.json'
import wallets from '../../src/cli/selftest/wallets.json'
import { readFlow } from '../support/flow-chain.ts'
import { type RecordedCase, recordedCases } from '../support/recorded-cases.ts'
import { binaryUnderTest } from '../support/script.ts'
import { selftestPayments } from '../support/selftest-payments.ts'

const root = join(import.meta.dir, '../..')

describe('a check', () => {
  const result = async (actual: SelfCheck['actual']) => {
    const check = { name: 'this', source: 'them', expected: 'right', actual }
    const [first] = await runChecks([check], () => 7)
    return first
  }
  const common = { name: 'this', source: 'them', ms: 0 }

  test('is ok when its result is the expected one, and failed when it is another', async () => {
    expect(await result(() => 'right')).toEqual({ ...common, ok: true })
    expect(await result(async () => 'wrong')).toEqual({
      ...common,
      ok: false,
      about: 'another result than expected',
    })
  })

  test('that throws has failed, and the others go on', async () => {
    const refuse = () => {
      throw new KmsError('usage', 'the key is none')
    }
    expect(await result(refuse)).toEqual({ ...common, ok: false, about: 'the key is none' })
    const stumble = () => {
      throw new TypeError('secret')
    }
    expect(await result(stumble)).toEqual({ ...common, ok: false, about: 'internal fault' })
    const checks = [stumble, () => 'right'].map(actual => ({
      ...common,
      expected: 'right',
      actual,
    }))
    expect((await runChecks(checks, () => 7)).map(({ ok }) => ok)).toEqual([false, true])
  })

  test('says why it was skipped', async () => {
    const skipped = await result(() => ({ skipped: 'not here' }))
    expect(skipped).toEqual({ ...common, ok: null, about: 'not here' })
  })
})

describe('the payments', () => {
  test('are one of every chain, recorded, with what the front adds to them', async () => {
    expect(payments.map(({ chain }) => chain)).toEqual(chains.map(({ id }) => id))
    expect(await selftestPayments()).toEqual(payments as never)
  })

  test.each(payments.map(payment => [payment.chain, payment] as const))(
    '%s has the bytes that somebody else has signed',
    (chain, { txData, txId, source, network }) => {
      const found = recordedCases(chain).find(
        each => source.endsWith(`: ${each.case}`) && each.network === network,
      )
      if (found === undefined) throw new Error('there is no such case')
      const judge = others[chain]
      if (judge === undefined) expect(txData).toBe(found.expected.txData ?? '')
      else expect<unknown>(judge.ours({ txData, txId })).toEqual(judge.theirs(found))
    },
  )
})

type Judge = {
  readonly ours: (signed: { readonly txData: string; readonly txId: string }) => unknown
  readonly theirs: (found: RecordedCase) => unknown
}

/** Where the recorded txData is not the signed bytes as they leave the signer. */
const others: Readonly<Record<string, Judge>> = {
  SOL: { ours: signed => signed.txId, theirs: ({ expected }) => expected.txData },
  ADA: {
    ours: ({ txData }) => JSON.parse(txData).signatures,
    theirs: found => bodyOf(found, '/construction/combine').signatures,
  },
  FLOW: {
    ours: ({ txData }) => readFlow(txData).payloadSignatures.at(-1)?.signature,
    theirs: found =>
      Buffer.from(
        bodyOf(found, '/v1/transactions').payload_signatures.at(-1).signature,
        'base64',
      ).toString('hex'),
  },
  // The original writes what the network takes no more.
  CELO: { ours: ({ txData }) => txData, theirs: () => celoByViem },
}

function bodyOf({ http }: RecordedCase, path: string) {
  const body = http.find(({ request }) => request.endsWith(path))?.body
  return JSON.parse(JSON.stringify(body))
}

const celoByViem = await privateKeyToAccount(
  '0x729fc06fe7a8ccd81d6bb7bbb0995c570f1ba70977da9127a813472c8591a193',
).signTransaction(
  {
    type: 'cip64',
    chainId: 42_220,
    nonce: 7,
    to: '0x687422eea2cb73b5d3e242ba5456b782919afc85',
    value: 10n ** 18n,
    gas: 300_000n,
    maxFeePerGas: 25_000_000_000n,
    maxPriorityFeePerGas: 25_000_000_000n,
    feeCurrency: '0xd8763cba276a3738e6de85b4b3bf5fded6d6ca73',
  },
  { serializer: serializeTransaction },
)

test('the wallets are one of every chain, each as the original printed it', () => {
  expect(wallets.map(({ chain }) => chain)).toEqual(chains.map(({ id }) => id))
  const recorded = ['wallets.json', 'wallets-random-samples.json', 'sign/BNB.json']
    .map(name => readFileSync(join(root, 'test/vectors', name), 'utf8'))
    .join('')
  for (const { chain: _, ...texts } of wallets) {
    for (const text of Object.values(texts)) expect(recorded).toContain(`"${text}"`)
  }
})

test('all is well without a home folder, without variables and away from home', async () => {
  const { status, report } = await selftest(binaryUnderTest, '/')
  expect(report.results.filter(({ ok }) => ok === false)).toEqual([])
  expect(status).toBe(0)
  expect(report.failed).toBe(0)
  expect(report.passed + report.skipped).toBe(report.results.length)
  expect(report.platform).toBe(`${process.platform}-${process.arch}`)
  // Otherwise it could be that nothing is ever tried.
  expect(report.passed).toBeGreaterThan(chains.length * 2 + 35)
}, 60_000)

/** A change to a source file, and what must not work any more; no two of them touch the same. */
const broken: readonly (readonly [file: string, from: string, to: string, names: string[]])[] = [
  ['secret/kdf.ts', 'r: cost.r', 'r: 1', ['scrypt of the vault']],
  [
    'secret/seal.ts',
    'gcm(bytes, nonce, aad).encrypt',
    'gcm(bytes, nonce).encrypt',
    ['AES-256-GCM of the vault', 'AES-256-GCM opens what it sealed, and nothing else'],
  ],
  [
    'secret/slip10.ts',
    'ed25519 seed',
    'ed25518 seed',
    ['SLIP-10 on ed25519', 'wallet SOL', 'wallet EGLD', 'payment SOL'],
  ],
  [
    'secret/schnorr-bch.ts',
    "'Schnorr+SHA256  '",
    "'Schnorr+SHA257  '",
    ['Schnorr of Bitcoin Cash', 'payment BCH'],
  ],
  [
    'base/native-memory.ts',
    'libc().mprotect(address, inner,',
    'libc().mprotect(base, inner + 2 * guard,',
    ['guard pages'],
  ],
  [
    'signer/ledger-tables.ts',
    'PRAGMA synchronous = FULL',
    'PRAGMA synchronous = OFF',
    ['ledger in SQLite'],
  ],
  ['chains/family/vet-tx.ts', '0x4a', '0x4b', ['payment VET']],
]

test('a primitive that is broken is reported by name, and the status says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-broken-'))
  try {
    cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true })
    cpSync(join(root, 'package.json'), join(folder, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const [file, from, to] of broken) {
      const path = join(folder, 'src', file)
      const text = readFileSync(path, 'utf8')
      expect(text).toContain(from)
      writeFileSync(path, text.replace(from, to))
    }
    const program = [process.execPath, '--no-env-file', join(folder, 'src/main.ts')]
    const { status, report } = await selftest(program, folder)
    const failed = report.results.filter(({ ok }) => ok === false).map(({ name }) => name)
    expect(failed.toSorted()).toEqual(broken.flatMap(([, , , names]) => names).toSorted())
    expect(report.failed).toBe(failed.length)
    expect(status).toBe(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)

type Report = {
  readonly platform: string
  readonly results: readonly { readonly name: string; readonly ok: boolean | null }[]
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

async function selftest(
  program: readonly string[],
  cwd: string,
): Promise<{ readonly status: number; readonly report: Report }> {
  const run = Bun.spawn([...program, 'selftest', '--json'], { cwd, env: {}, stderr: 'inherit' })
  const report = JSON.parse(await run.stdout.text())
  return { status: await run.exited, report }
}
