import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { tar } from '../../scripts/image/tar.ts'
import { readElf } from '../../scripts/release/elf.ts'
import { runInContainer, unpackImage, whyNoContainer } from '../support/container.ts'
import { binaryUnderTest } from '../support/script.ts'

const root = resolve(import.meta.dir, '../..')
const folder = mkdtempSync(join(tmpdir(), 'kms-image-'))
const archive = join(folder, 'image.tar')
const program = binaryUnderTest.length === 1 ? binaryUnderTest[0] : undefined
const limitMs = 300_000

const whyNot = reasonNotToBuild()
const whyNotRun = whyNot ?? whyNoContainer()
if (whyNotRun !== undefined) say(`${whyNot === undefined ? 'not run' : 'not built'}: ${whyNotRun}`)

function reasonNotToBuild(): string | undefined {
  if (process.platform !== 'linux') return 'only on linux'
  if (program === undefined) return 'no program is built'
  const { interpreter = '' } = readElf(readFileSync(program))
  const borrowed = [interpreter, '/etc/ssl/certs/ca-certificates.crt']
  const missing = borrowed.find(path => !existsSync(path))
  return missing && `no ${missing} here`
}

function say(line: string): void {
  process.stderr.write(`image: ${line}\n`)
}

function makeImage(path: string): void {
  const make = [process.execPath, join(root, 'scripts/image.ts'), program ?? '', path]
  const run = Bun.spawnSync(make, { stdout: 'ignore', stderr: 'pipe' })
  if (run.exitCode !== 0) throw new Error(run.stderr.toString())
}

/** One member of the archive, or of an archive in it. */
async function memberOf(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<File> {
  const [member] = (await new Bun.Archive(bytes).files(path)).values()
  if (member === undefined) throw new Error(`no ${path} in the archive`)
  return member
}

afterAll(() => rmSync(folder, { recursive: true }))

describe.skipIf(whyNot !== undefined)('the image', () => {
  beforeAll(() => makeImage(archive), limitMs)

  test(
    'is the same when it is made again',
    () => {
      const again = join(folder, 'again.tar')
      makeImage(again)
      expect(readFileSync(again).equals(readFileSync(archive))).toBe(true)
      rmSync(again)
    },
    limitMs,
  )

  test('is for a user of its own, and holds what the program names', async () => {
    const bytes = await Bun.file(archive).bytes()
    const [entry] = await (await memberOf(bytes, 'manifest.json')).json()
    expect(entry.RepoTags).toEqual([expect.stringMatching(/^tatum-kms:\d/)])
    const { config } = await (await memberOf(bytes, entry.Config)).json()
    expect(config).toMatchObject({
      User: '65532:65532',
      Env: ['PATH=/usr/local/bin', 'HOME=/root'],
      Entrypoint: ['/usr/local/bin/tatum-kms'],
      StopSignal: 'SIGTERM',
    })
    const layer = await (await memberOf(bytes, entry.Layers[0])).bytes()
    const paths = [...(await new Bun.Archive(layer).files()).keys()]
    for (const library of readElf(readFileSync(program ?? '')).libraries) {
      expect(paths.some(path => path.endsWith(`/${library}`))).toBe(true)
    }
    expect(paths).toContain('etc/ssl/certs/ca-certificates.crt')
    expect(paths).toContain('etc/passwd')
  })

  test.skipIf(Bun.which('skopeo') === null)('is one that skopeo reads', () => {
    const inspect = ['skopeo', 'inspect', '--config', `oci-archive:${archive}`]
    const read = Bun.spawnSync(inspect, { stderr: 'pipe' })
    expect(read.stderr.toString()).toBe('')
    expect(JSON.parse(read.stdout.toString())).toMatchObject({ os: 'linux' })
  })
})

describe.skipIf(whyNotRun !== undefined)('a container on a read-only root', () => {
  const bundle = join(folder, 'bundle')
  const vault = join(folder, 'vault')
  const password = 'correct horse battery staple'

  beforeAll(() => {
    if (!existsSync(archive)) makeImage(archive)
    unpackImage(archive, bundle)
    mkdirSync(vault, { mode: 0o700 })
    chownSync(vault, 65_532, 65_532)
  }, limitMs)

  const run = (args: readonly string[], input = '') =>
    runInContainer({ bundle, args, input, folders: { '/root/.tatumrc': vault } })

  test(
    'says its version and passes its selftest',
    async () => {
      expect(await run(['--version'])).toMatch(/^\d+\.\d+\.\d+\n$/)
      const [, passed] = /passed (\d+), failed 0/.exec(await run(['selftest'])) ?? []
      expect(Number(passed)).toBeGreaterThan(50)
      say(`run under runc, selftest ${passed} passed`)
    },
    limitMs,
  )

  test(
    'keeps a wallet in the folder it was given, for its user alone',
    async () => {
      const made = await run(['generatemanagedwallet', 'BTC', '--password-fd=0'], password)
      const { signatureId } = JSON.parse(made)
      expect(statSync(join(vault, 'wallet.dat'))).toMatchObject({ uid: 65_532, mode: 0o100600 })
      const address = await run(['getaddress', signatureId, '0', '--password-fd=0'], password)
      expect(JSON.parse(address).address).toStartWith('bc1')
    },
    limitMs,
  )

  test('has its vault folder ready where none is mounted, for its user alone', () => {
    const stats = statSync(join(bundle, 'rootfs/root/.tatumrc'))
    expect(stats).toMatchObject({ uid: 65_532, gid: 65_532, mode: 0o040700 })
  })
})

test('an archive reads back as it was written, with owner and mode', async () => {
  const bytes = Buffer.from('some text')
  const made = tar([
    { kind: 'folder', path: 'a', mode: 0o700, owner: 65_532 },
    { kind: 'file', path: 'a/b', mode: 0o755, bytes },
  ])
  expect(made.length % 512).toBe(0)
  const list = Bun.spawnSync(['tar', '--numeric-owner', '-tv'], { stdin: made }).stdout.toString()
  expect(list).toMatch(/^drwx------ 65532\/65532 +0 1970.* a\/$/m)
  expect(list).toMatch(/^-rwxr-xr-x 0\/0 +9 1970.* a\/b$/m)
  expect(await (await memberOf(new Uint8Array(made), 'a/b')).text()).toBe('some text')
  const long = 'x'.repeat(100)
  expect(() => tar([{ kind: 'folder', path: long, mode: 0 }])).toThrow('too long a name')
})
