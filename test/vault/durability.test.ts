import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { changeVault, openVault } from '../../src/vault/vault.ts'
import { keyOf } from '../support/memory-vault.ts'
import { expectFault, runProgram } from '../support/run-program.ts'
import { binaryUnderTest } from '../support/script.ts'
import { secretOf } from '../support/secret.ts'
import { testPassword, vaultPlace } from '../support/test-vault.ts'

const isRoot = process.getuid?.() === 0
const nobody = 65534
/** As nobody: root may write to what is read-only. */
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']

let home = ''
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'kms-durable-'))
  chmodSync(home, 0o755)
})
afterAll(() => rmSync(home, { recursive: true }))

type Place = {
  readonly folder: string
  readonly path: string
  /** Runs a command on this vault. */
  kms(command: readonly string[], before?: readonly string[]): ReturnType<typeof runProgram>
  options: readonly string[]
}

function placeIn(folder: string): Place {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, testPassword, { mode: 0o600 })
  const path = join(folder, 'wallet.dat')
  const options = [`--path=${path}`, `--password-file=${passwordFile}`]
  return {
    folder,
    path,
    options,
    kms: (command, before = []) => runProgram([...command, ...options], { before }),
  }
}

/** A vault with one wallet, as cheap to open as a vault may be. */
async function newVault(name: string, cost = 14): Promise<Place> {
  const place = placeIn(join(home, name))
  await addWallet(place, cost)
  return place
}

/** However busy the machine is, all of them get their turn. */
const generate = ['generatemanagedwallet', 'BTC', '--lock-wait=600']

/** At the vault's own cost: the default would be dearer. */
const rotate = ({ folder }: Place): readonly string[] => [
  'changepassword',
  '--rotate',
  '--kdf-cost=14',
  `--new-password-file=${folder}/password`,
]

async function addWallet(place: Place, cost?: number): Promise<string> {
  const run = await place.kms([...generate, ...(cost === undefined ? [] : [`--kdf-cost=${cost}`])])
  expect(run).toMatchObject({ status: 0, stderr: '' })
  return idIn(run.stdout)
}

function idIn(stdout: string): string {
  return /"signatureId": "([-0-9a-f]{36})"/.exec(stdout)?.[1] ?? 'none'
}

/** The ids of a vault whose every secret opens. */
function idsIn({ folder }: Place): readonly string[] {
  using password = secretOf(testPassword)
  using vault = openVault(vaultPlace(folder), password)
  const ids = [...vault.ids()]
  for (const id of ids) vault.reveal(id)[Symbol.dispose]()
  return ids
}

const temporaries = ({ folder }: Place) => readdirSync(folder).filter(name => name.endsWith('.tmp'))

/** Calls `work` with each number below `count`, so many at a time. */
async function each(count: number, atOnce: number, work: (i: number) => Promise<void>) {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker))
}

/** Of the 200; each takes some 80 MB and half a second of a processor, whatever it does. */
const writersAtOnce = Number(process.env['WRITERS_AT_ONCE'] ?? 16)

describe('many writers of one vault', () => {
  test('store every wallet they report: 200 processes', async () => {
    const place = await newVault('writers')
    const [first = ''] = idsIn(place)
    const reported: string[] = []
    await each(200, writersAtOnce, async () => {
      reported.push(await addWallet(place))
    })
    expect(new Set(reported).size).toBe(200)
    expect([...idsIn(place)].sort()).toEqual([first, ...reported].sort())
    expect(temporaries(place)).toEqual([])
    process.stdout.write(
      `writers: 200 processes, ${writersAtOnce} at once: ${reported.length} reported, ${reported.length} stored\n`,
    )
  }, 600_000)

  test.if(process.platform === 'linux')(
    'cost the memory of one scrypt at a time',
    async () => {
      const place = await newVault('memory', 17)
      const running = new Set<number>()
      const writers = each(8, 8, async () => {
        const run = Bun.spawn([...binaryUnderTest, ...generate, ...place.options], {
          stdout: 'ignore',
          stderr: 'ignore',
        })
        running.add(run.pid)
        expect(await run.exited).toBe(0)
        running.delete(run.pid)
      })
      let highest = 0
      let most = 0
      const watching = new AbortController()
      const watch = (async () => {
        while (!watching.signal.aborted) {
          const sizes = [...running].map(memoryOf)
          // 128 MiB are one scrypt's; without it the program has less than this.
          most = Math.max(most, sizes.filter(mb => mb >= 128).length)
          highest = Math.max(
            highest,
            sizes.reduce((sum, mb) => sum + mb, 0),
          )
          await Bun.sleep(5)
        }
      })()
      await writers
      watching.abort()
      await watch
      process.stdout.write(
        `writers: at most ${most} of 8 with a scrypt's memory, ${highest.toFixed(0)} MB together\n`,
      )
      expect(most).toBeGreaterThan(0)
      // Who has just answered may still be ending while the next one begins.
      expect(most).toBeLessThanOrEqual(2)
    },
    300_000,
  )
})

/** Anonymous memory of a process in MB (proc(5)); 0 when it has ended. */
function memoryOf(pid: number): number {
  try {
    const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(found ?? 0) / 1024
  } catch {
    return 0
  }
}

describe('a writer that is killed', () => {
  const kills = Number(process.env['KILL_RUNS'] ?? 100)

  test('leaves the old vault or the new one, and nothing in the way of the next', async () => {
    const place = await newVault('killed')
    const commands = [generate, rotate(place)]
    const full = await Promise.all(commands.map(command => durationOf(place, command)))
    const counts = { runs: 0, killed: 0, writing: 0, changed: 0, unannounced: 0 }
    // Some are done before they are killed: those do not count.
    for (; counts.killed < kills; counts.runs++) {
      const which = counts.runs % 2
      const before = { ids: idsIn(place), file: readFileSync(place.path) }
      // At any instant of its life, or while it writes: that is a small part of it.
      const isWriting = counts.runs % 4 >= 2
      const longest = full[which] ?? 0
      const killed = await killWhen(place, commands[which] ?? [], async () => {
        if (isWriting) await untilWriting(place, longest)
        await Bun.sleep(Math.random() * (isWriting ? 15 : 1.1 * longest))
      })
      if (killed.isKilled && isWriting) counts.writing++
      const ids = idsIn(place)
      const added = ids.filter(id => !before.ids.includes(id))
      expect(ids.slice(0, before.ids.length)).toEqual([...before.ids])
      expect(added.length).toBeLessThanOrEqual(which === 0 ? 1 : 0)
      // An id that was printed is in the vault, whatever came then.
      if (killed.printed !== undefined) expect(added).toEqual([killed.printed])
      if (killed.isKilled) counts.killed++
      const isChanged = !readFileSync(place.path).equals(before.file)
      if (isChanged) counts.changed++
      if (isChanged && killed.isKilled && killed.printed === undefined) counts.unannounced++
      await writeOnce(place)
      expect(temporaries(place)).toEqual([])
    }
    const { killed, writing, changed, unannounced } = counts
    process.stdout.write(
      `kills: ${killed} of ${counts.runs} runs (${writing} of them while writing), ` +
        `${changed} vaults changed, ${unannounced} of them by a process killed before it answered\n`,
    )
  }, 600_000)
})

async function durationOf(place: Place, command: readonly string[]): Promise<number> {
  const startedAt = Bun.nanoseconds()
  expect(await place.kms(command)).toMatchObject({ status: 0 })
  return (Bun.nanoseconds() - startedAt) / 1e6
}

/** Until the command has begun the new file, or should have ended long ago. */
async function untilWriting(place: Place, longestMs: number): Promise<void> {
  const until = Bun.nanoseconds() + 3 * longestMs * 1e6
  while (temporaries(place).length === 0 && Bun.nanoseconds() < until) await Bun.sleep(0)
}

async function killWhen(place: Place, command: readonly string[], moment: () => Promise<void>) {
  const run = Bun.spawn([...binaryUnderTest, ...command, ...place.options], { stderr: 'pipe' })
  const said = run.stdout.text()
  await Promise.race([moment(), run.exited])
  run.kill('SIGKILL')
  await run.exited
  const printed = idIn(await said)
  return {
    isKilled: run.signalCode === 'SIGKILL',
    printed: printed === 'none' ? undefined : printed,
  }
}

async function writeOnce({ folder }: Place): Promise<void> {
  using password = secretOf(testPassword)
  const made = keyOf('a key')
  using _secret = made.secret
  await changeVault(vaultPlace(folder), password, draft => draft.add(made), {
    create: false,
    now: Date.now(),
  })
}

describe('a disk that cannot be written', () => {
  const mountPoint = join(tmpdir(), `kms-small-disk-${process.pid}`)
  // Tried now, because it decides which tests there are; none of them may run this time.
  const canMount = isRoot && mountSmallDisk()
  if (canMount) unmount()
  else process.stdout.write('no small disk: mounting is not permitted here, skipped\n')
  beforeAll(() => {
    if (canMount) mountSmallDisk()
  })
  afterAll(() => {
    if (canMount) unmount()
  })

  function mountSmallDisk(): boolean {
    mkdirSync(mountPoint)
    const options = ['-t', 'tmpfs', '-o', 'size=128k,mode=700', 'tmpfs']
    const isMounted = Bun.spawnSync(['mount', ...options, mountPoint]).exitCode === 0
    if (!isMounted) rmSync(mountPoint, { recursive: true })
    return isMounted
  }

  function unmount(): void {
    Bun.spawnSync(['umount', mountPoint])
    rmSync(mountPoint, { recursive: true })
  }

  const writing = (place: Place): readonly (readonly string[])[] => [
    generate,
    ['changepassword', `--new-password-file=${place.folder}/password`],
    rotate(place),
    ['removewallet', idsIn(place)[0] ?? ''],
    ['backup', 'create', join(place.folder, 'copy.dat')],
  ]

  /** Every command that writes is refused, and leaves all files as they were. */
  async function expectRefusals(
    place: Place,
    status: number,
    said: RegExp,
    before?: readonly string[],
  ) {
    const files = contentsOf(place)
    for (const command of writing(place)) {
      const run = await place.kms(command, before)
      expectFault(run, status)
      expect(run.stderr).toMatch(said)
      expect(run.stdout).toBe('')
      expect(contentsOf(place)).toEqual(files)
    }
  }

  test.if(canMount)('because it is full leaves the vault as it was', async () => {
    const place = placeIn(mountPoint)
    await addWallet(place, 14)
    await addWallet(place)
    fillDisk(mountPoint)
    await expectRefusals(place, 1, /no space left on the disk/)
    expect(await place.kms(['export'])).toMatchObject({ status: 0, stderr: '' })
    rmSync(join(mountPoint, 'filler'))
    await addWallet(place)
    expect(idsIn(place)).toHaveLength(3)
  })

  test.if(canMount)('because it is read-only leaves the vault as it was', async () => {
    const place = placeIn(mountPoint)
    Bun.spawnSync(['mount', '-o', 'remount,ro', mountPoint])
    try {
      await expectRefusals(place, 1, /the file system is read-only/)
    } finally {
      Bun.spawnSync(['mount', '-o', 'remount,rw', mountPoint])
    }
    await addWallet(place)
  })

  test.if(isRoot && Bun.which('setpriv') !== null)(
    'because its folder is read-only leaves the vault as it was',
    async () => {
      const place = await newVault('read-only')
      giveToNobody(place)
      chmodSync(place.folder, 0o500)
      await expectRefusals(place, 15, /not permitted/, asNobody)
      rmSync(`${place.path}.lock`)
      const run = await place.kms(generate, asNobody)
      expectFault(run, 15)
      chmodSync(place.folder, 0o700)
      expect(await place.kms(generate, asNobody)).toMatchObject({ status: 0, stderr: '' })
    },
  )
})

function contentsOf({ folder }: Place): ReadonlyMap<string, string> {
  const names = readdirSync(folder).sort()
  return new Map(names.map(name => [name, readFileSync(join(folder, name)).toString('hex')]))
}

function fillDisk(folder: string): void {
  const size = Number(
    Bun.spawnSync(['df', '--output=avail', '-B1', folder]).stdout.toString().split('\n')[1],
  )
  writeFileSync(join(folder, 'filler'), new Uint8Array(size), { mode: 0o600 })
}

function giveToNobody({ folder }: Place): void {
  chownSync(folder, nobody, nobody)
  for (const name of readdirSync(folder)) chownSync(join(folder, name), nobody, nobody)
}

describe.if(isRoot)('a command that root runs', () => {
  test('leaves the files with their owner', async () => {
    const place = await newVault('owned')
    await addWallet(place)
    giveToNobody(place)
    // Root reads its own password file only.
    chownSync(join(place.folder, 'password'), 0, 0)
    const [first = ''] = idsIn(place)
    for (const command of [generate, rotate(place), ['removewallet', first], generate]) {
      expect(await place.kms(command)).toMatchObject({ status: 0 })
      for (const name of readdirSync(place.folder).filter(name => name !== 'password')) {
        const { uid, gid } = statSync(join(place.folder, name))
        expect({ name, uid, gid }).toEqual({ name, uid: nobody, gid: nobody })
      }
    }
  })
})
