import { describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  barrels,
  brokenChainRules,
  brokenLayers,
  type Confined,
  computedImports,
  cycles,
  type Layers,
  misplacedPackages,
  misusedPowers,
  type Power,
  strayImports,
} from './support/layers.ts'
import { readSourceTree, type SourceFile } from './support/source-tree.ts'

const layers: Layers = [
  ['base'],
  ['secret', 'chains', 'tatum', 'guard'],
  ['vault', 'password'],
  ['signer'],
  ['daemon'],
  ['bundle'],
  ['cli'],
  ['main.ts'],
]

const fileSystem = String.raw`from\s*['"](?:node:)?fs(?:/promises)?['"]`
const writers =
  'writeFile|appendFile|rename|unlink|rmdir|rm|mkdir|mkdtemp|f?chmod|[fl]?chown|f?truncate|copyFile|cp|link|symlink|[fl]?utimes|createWriteStream|f(?:data)?sync'

/** Each power is held by as few files as can be, so that reading these is enough to trust it. */
const powers: readonly Power[] = [
  {
    name: 'network',
    pattern:
      /\bfetch\(|\bglobalThis\.fetch\b|=\s*fetch\b|\bnew (?:WebSocket|EventSource)\b|['"](?:node:)?(?:https?|http2|tls|dgram|dns)(?:\/\w+)?['"]/,
    holders: ['base/http.ts'],
    why: 'one place has the deadline, the size cap and the redaction',
  },
  {
    name: 'sockets',
    pattern: /['"](?:node:)?net['"]|\bBun\.(?:connect|listen|serve|udpSocket)\b/,
    holders: ['signer/channel.ts', 'base/http-server.ts'],
    why: 'front and signer share one inherited pair, and metrics are for this machine alone',
  },
  {
    name: 'native code',
    pattern: /['"]bun:ffi['"]/,
    holders: ['base/native-libc.ts', 'base/native-memory.ts', 'base/native-windows.ts'],
    why: 'a wrong pointer ends every other guarantee',
  },
  {
    name: 'JSON',
    pattern: /\bJSON\.|\.json\(\)/,
    holders: ['base/json.ts'],
    why: 'its result is unknown, and stringify takes any: a Secret too',
  },
  {
    name: 'TOML',
    pattern: /\bBun\.TOML\b/,
    holders: ['base/toml.ts'],
    why: 'its result is unknown, and its faults quote the text',
  },
  {
    name: 'environment',
    pattern: /\bprocess\.env\b|\bBun\.env\b|\bimport\.meta\.env\b|['"](?:node:)?process['"]/,
    holders: ['cli/variables.ts'],
    why: 'what a process is told arrives as arguments that can be read',
  },
  {
    name: 'exit',
    pattern: /\bprocess\.(?:exit|exitCode|reallyExit|abort)\b/,
    holders: ['main.ts'],
    why: 'an exit elsewhere skips the wiping of secrets',
  },
  {
    name: 'disk writing',
    pattern: new RegExp(
      String.raw`import\s*\{[^}]*\b(?:${writers})(?:Sync)?\b[^}]*\}\s*${fileSystem}|import\s*(?:\*|\w)[^'"{]*${fileSystem}|\bBun\.write\(|\.writer\(|\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)\b`,
    ),
    holders: [
      'base/disk.ts',
      'base/open-file.ts',
      'base/lock-file.ts',
      'base/state-file.ts',
      'base/installed-files.ts',
      'base/child.ts',
    ],
    why: 'order, fsync and mode of every write are one protocol; state-file.ts keeps nothing that must last, installed-files.ts nothing that is secret, child.ts opens terminals alone',
  },
  {
    name: 'descriptor writing',
    pattern: new RegExp(
      String.raw`import\s*\{[^}]*\b(?:write|writev)(?:Sync)?\b[^}]*\}\s*${fileSystem}`,
    ),
    holders: [
      'base/open-file.ts',
      'base/state-file.ts',
      'base/native-windows.ts',
      'cli/terminal.ts',
      'password/prompt.ts',
    ],
    why: 'an open descriptor is the vault, the terminal or the pipe of the password',
  },
  {
    name: 'terminal',
    pattern: /\bconsole\.|\bprocess\.(?:stdout|stderr|stdin)\b|\bBun\.(?:stdout|stderr|stdin)\b/,
    holders: ['cli/terminal.ts'],
    why: 'what is printed, and where, follows one set of rules',
  },
  {
    name: 'randomness',
    pattern:
      /\brandom(?:Bytes|Fill|FillSync|Int|UUID\w*|SecretKey)\b|\bgetRandomValues\b|\bMath\.random\b/,
    holders: ['secret/random.ts'],
    why: 'keys and nonces come from one source',
  },
  {
    name: 'clock',
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bBun\.nanoseconds\b/,
    holders: ['cli/context.ts'],
    why: 'time is an argument, so a test can choose it',
  },
  {
    name: 'private-key operations',
    pattern:
      /\.sign\(|getPublicKey|\bcreateSign\b|\bprivateKeyToAccount\b|\bsign(?:Expanded|SchnorrBch|Ecdsa)\b/,
    holders: ['secret/sign.ts', 'secret/ecdsa.ts', 'secret/eddsa.ts', 'secret/schnorr-bch.ts'],
    why: 'the only places where a key meets anything',
  },
  {
    name: 'child processes',
    pattern: /\bBun\.(?:spawn|spawnSync|\$)|['"](?:node:)?child_process['"]/,
    holders: ['base/child.ts'],
    why: 'what a child inherits is decided once',
  },
  {
    name: 'the ledger database',
    pattern: /['"]bun:sqlite['"]/,
    holders: [
      'signer/ledger.ts',
      'signer/ledger-tables.ts',
      'signer/ledger-schema.ts',
      'signer/ledger-rows.ts',
      'signer/ledger-decisions.ts',
      'signer/ledger-since.ts',
      'signer/read-ledger.ts',
    ],
    why: 'what was signed is recorded by the signer alone',
  },
  {
    name: 'the journal database',
    pattern: /import\s*\{[^}]*\bSQL\b[^}]*\}\s*from\s*['"]bun['"]|\bBun\.(?:SQL|sql)\b/,
    holders: [
      'daemon/journal-rows.ts',
      'daemon/journal-sqlite.ts',
      'daemon/postgres.ts',
      'daemon/shared-writes.ts',
    ],
    why: 'the state of a payment changes in one place, in a database of either kind',
  },
  {
    name: 'evaluation of text',
    pattern: /\beval\(|\bnew Function\(|['"](?:node:)?vm['"]/,
    holders: [],
    why: 'text never becomes code',
  },
]

const confined: readonly Confined[] = [
  { name: 'viem', within: 'chains/', why: 'SDKs encode; they never see a key' },
  { name: 'xrpl', within: 'chains/', why: 'SDKs encode; they never see a key' },
  { name: '@stellar/*', within: 'chains/', why: 'SDKs encode; they never see a key' },
  { name: '@scure/btc-signer', within: 'chains/', why: 'SDKs encode; they never see a key' },
  { name: 'tronweb', within: 'chains/', why: 'SDKs encode; they never see a key' },
  { name: 'cac', within: 'cli/app.ts', why: 'commands are functions, not parser callbacks' },
]

/** The version is the package's own; units stand where people look for them. */
const allowedOutside = [
  'cli/version.ts → ../package.json',
  ...[
    'daemon.env',
    'front.env',
    'signer.env',
    'tatum-kms.service',
    'tatum-kms-front.service',
    'tatum-kms-signer.service',
    'tatum-kms-signer.socket',
    'tatum-kms-sysusers.conf',
  ].map(name => `cli/services/texts.ts → ../systemd/${name}`),
]

type Rule = (files: readonly SourceFile[]) => readonly string[]

const rules: Readonly<Record<string, Rule>> = {
  'a folder sees itself and the layers below it': files => brokenLayers(files, layers),
  'a chain sees the contract, families and codecs, never another chain': brokenChainRules,
  'nothing outside src is imported': files => strayImports(files, allowedOutside),
  'a confined package stays where it belongs': files => misplacedPackages(files, confined),
  'a power is used only by its holders': files => misusedPowers(files, powers),
  'nothing is re-exported': barrels,
  'an import names its target': computedImports,
  'imports form no cycle': cycles,
}

describe('src', () => {
  const files = readSourceTree(join(import.meta.dir, '../src'))
  test('is read', () => expect(files.map(file => file.path)).toContain('base/errors.ts'))
  test.each(Object.entries(rules))('%s', (_, rule) => expect(rule(files)).toEqual([]))
})

type Planted = readonly [path: string, text: string, complaint: string]

const planted: readonly Planted[] = [
  ['base/a.ts', "import { x } from '../secret/x.ts'", 'base may not see secret'],
  ['chains/a.ts', "import type { Secret } from '../secret/secret.ts'", 'chains may not see secret'],
  ['chains/a.ts', "import {\n  type S,\n} from '../secret/secret.ts'", 'chains may not see secret'],
  ['chains/a.ts', "type S = import('../secret/secret.ts').Secret", 'chains may not see secret'],
  ['guard/a.ts', "const x = await import('../tatum/api.ts')", 'guard may not see tatum'],
  ['vault/a.ts', "import '../password/source.ts'", 'vault may not see password'],
  ['signer/a.ts', "new Worker(new URL('../daemon/x.ts', import.meta.url))", 'may not see daemon'],
  ['daemon/a.ts', 'import {x} from"../cli/x.ts"', 'daemon may not see cli'],
  ['other/a.ts', "import { x } from '../base/x.ts'", 'is in no layer'],
  ['chains/btc.ts', "import { eth } from './eth.ts'", 'btc.ts: imports chains/eth.ts'],
  ['chains/btc.ts', "import { chains } from './index.ts'", 'btc.ts: imports chains/index.ts'],
  ['chains/codec/a.ts', "import { x } from '../family/evm.ts'", 'imports chains/family/evm.ts'],
  ['chains/names.ts', "import { btc } from './btc.ts'", 'names.ts: imports chains/btc.ts'],
  ['cli/a.ts', "import pkg from '../../package.json'", 'outside src'],
  ['vault/a.ts', "import { hexToBytes } from 'viem/utils'", 'imports viem'],
  ['secret/a.ts', "import { Keypair } from '@stellar/stellar-base'", 'imports @stellar/*'],
  ['cli/commands/a.ts', "import { cac } from 'cac'", 'which belongs in cli/app.ts'],
  ['base/a.ts', "export { x } from './x.ts'", 're-exports'],
  ['base/a.ts', "export * from './x.ts'", 're-exports'],
  ['base/a.ts', 'const x = await import(name)', 'computed import'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the planted text
  ['base/a.ts', 'const x = await import(`./${name}.ts`)', 'computed import'],
  ['base/a.ts', "import { a } from './a.ts'", 'base/a.ts → base/a.ts'],
  ['tatum/a.ts', 'const answer = await fetch(address)', 'uses network'],
  ['tatum/a.ts', "import { request } from 'node:https'", 'uses network'],
  ['tatum/a.ts', "import { connect } from 'node:net'", 'uses sockets'],
  ['daemon/a.ts', 'Bun.serve({})', 'uses sockets'],
  ['secret/a.ts', "import { dlopen } from 'bun:ffi'", 'uses native code'],
  ['tatum/a.ts', 'const x = JSON.parse(text)', 'uses JSON'],
  ['tatum/a.ts', 'const x = await response.json()', 'uses JSON'],
  ['guard/a.ts', 'const x = Bun.TOML.parse(text)', 'uses TOML'],
  ['password/a.ts', 'const x = process.env.HOME', 'uses environment'],
  ['password/a.ts', "import { env } from 'node:process'", 'uses environment'],
  ['cli/a.ts', 'process.exit(1)', 'uses exit'],
  ['cli/a.ts', 'process.exitCode = 1', 'uses exit'],
  ['vault/a.ts', "import { readFile, writeFileSync } from 'node:fs'", 'uses disk writing'],
  ['cli/a.ts', "import { writeSync } from 'node:fs'", 'uses descriptor writing'],
  ['vault/a.ts', "import { rename } from 'node:fs/promises'", 'uses disk writing'],
  ['vault/a.ts', "import * as fs from 'node:fs'", 'uses disk writing'],
  ['vault/a.ts', 'await Bun.write(path, bytes)', 'uses disk writing'],
  ['daemon/a.ts', 'console.log(x)', 'uses terminal'],
  ['daemon/a.ts', 'process.stdout.write(x)', 'uses terminal'],
  ['vault/a.ts', "import { randomBytes } from 'node:crypto'", 'uses randomness'],
  ['daemon/a.ts', 'const jitter = Math.random()', 'uses randomness'],
  ['daemon/a.ts', 'const now = Date.now()', 'uses clock'],
  ['daemon/a.ts', 'const now = new Date()', 'uses clock'],
  ['chains/a.ts', 'transaction.sign(key)', 'uses private-key operations'],
  ['chains/a.ts', 'secp256k1.getPublicKey(key)', 'uses private-key operations'],
  ['cli/a.ts', 'Bun.spawn([name])', 'uses child processes'],
  ['daemon/a.ts', "import { Database } from 'bun:sqlite'", 'uses the ledger database'],
  ['signer/a.ts', "import { SQL } from 'bun'", 'uses the journal database'],
  ['base/a.ts', 'eval(text)', 'uses evaluation of text'],
]

function complaintsAbout(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'kms-layers-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    const tree = readSourceTree(root)
    return Object.values(rules).flatMap(rule => rule(tree))
  } finally {
    rmSync(root, { recursive: true })
  }
}

describe('a planted violation is reported', () => {
  test.each(planted)('%s: %s', (path, text, complaint) => {
    const complaints = complaintsAbout({ [path]: text })
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toContain(complaint)
  })

  test('behind code and a comment that ends on the same line', () => {
    expect(complaintsAbout({ 'cli/a.ts': '/* why */ process.exit(1) // bye' })).toHaveLength(1)
  })

  test('every power has one', () => {
    const uses = planted.map(([, , complaint]) => complaint)
    for (const { name } of powers) expect(uses).toContain(`uses ${name}`)
  })

  test('a cycle through three files is reported once', () => {
    const files = {
      'base/a.ts': "import type { B } from './b.ts'",
      'base/b.ts': "import { c } from './c.ts'",
      'base/c.ts': "const a = () => import('./a.ts')",
    }
    expect(complaintsAbout(files)).toEqual(['base/a.ts → base/b.ts → base/c.ts → base/a.ts'])
  })
})

test('what is allowed is not reported', () => {
  const files = {
    'base/http.ts': "/** fetch( is here. */\nimport type { X } from './json.ts'\nfetch(x)",
    'base/json.ts':
      '// JSON.parse, process.env: words in a comment\nexport const x = JSON.parse(y)',
    'chains/chain.ts': "import { x } from '../base/json.ts'",
    'chains/btc.ts': "import { p } from './family/utxo.ts'\nimport * as b from '@scure/btc-signer'",
    'chains/family/utxo.ts': "import { d } from '../chain.ts'\nimport { c } from '../codec/c.ts'",
    'chains/codec/c.ts': "import { b } from '../../base/json.ts'",
    'chains/index.ts': "import { btc } from './btc.ts'",
    'cli/app.ts': "import { cac } from 'cac'\nconst run = () => import('./commands/a.ts')",
    'cli/commands/a.ts': "import { v } from '../../vault/vault.ts'",
    'cli/version.ts': "import { version } from '../../package.json'",
    'daemon/a.ts': 'const at = new Date(now())',
    'vault/vault.ts': "import { readFileSync } from 'node:fs'\nexport type { V }\nexport { w }",
    'main.ts': "import { run } from './cli/app.ts'\nprocess.exitCode = await run()",
  }
  expect(complaintsAbout(files)).toEqual([])
})
