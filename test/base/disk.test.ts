import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Disk, realDisk, withLock } from '../../src/base/disk.ts'
import { ensureFolder, readGuarded } from '../../src/base/guarded-file.ts'
import type { OpenFile } from '../../src/base/open-file.ts'
import { replaceFile } from '../../src/base/replace-file.ts'
import {
  type Fault,
  type Files,
  faultyDisk,
  type MemoryDisk,
  memoryDisk,
  shortWrites,
} from '../support/faulty-disk.ts'

const path = '/v/wallet.dat'
const backup = `${path}.bak`
const older = Buffer.from('generation one')
const before = Buffer.from('generation two, a little longer')
const after = Buffer.from('generation three')
const start: Files = new Map([
  [path, before],
  [backup, older],
])

const same = (found: Uint8Array | undefined, wanted: Uint8Array) =>
  found !== undefined && Buffer.compare(found, wanted) === 0
const isWhole = (files: Files) => same(files.get(path), before) || same(files.get(path), after)

/** What a fault at each step in turn leaves: on the disk as it is, and after a power cut. */
function* everyFault(options: {
  readonly fault: Fault
  readonly keepPrevious: boolean
  readonly forgets?: 'sync' | 'syncFolder'
}): Generator<{ memory: MemoryDisk; failure: unknown; ranOut: boolean }> {
  for (let step = 0; ; step++) {
    const memory = memoryDisk(start, options.forgets)
    const { disk, ranOut } = faultyDisk(memory, step, options.fault)
    let failure: unknown
    try {
      replaceFile(disk, path, after, options)
    } catch (thrown) {
      failure = thrown
    }
    yield { memory, failure, ranOut: ranOut() }
    if (!ranOut()) return
  }
}

const faults: readonly Fault[] = ['fail', 'tear', 'power']
const cases = faults.flatMap(fault => [
  { fault, keepPrevious: true },
  { fault, keepPrevious: false },
])

describe('replacing a file on a faulty disk', () => {
  test.each(cases)('leaves the old or the new file at every step (%o)', options => {
    let steps = 0
    for (const { memory } of everyFault(options)) {
      for (const files of [memory.files(), ...memory.afterPowerCut()]) {
        expect(isWhole(files)).toBe(true)
      }
      steps++
    }
    expect(steps).toBeGreaterThan(15)
  })

  test.each(cases)('is lasting once it reports success (%o)', options => {
    for (const { memory, failure } of everyFault(options)) {
      if (failure !== undefined) continue
      for (const files of memory.afterPowerCut()) {
        expect(same(files.get(path), after)).toBe(true)
        if (options.keepPrevious) expect(same(files.get(backup), before)).toBe(true)
        else expect(files.has(backup)).toBe(false)
      }
    }
  })

  test.each(cases)('says the truth about what a failure left (%o)', options => {
    for (const { memory, failure } of everyFault(options)) {
      if (failure === undefined) continue
      expect(failure).toMatchObject({ name: 'KmsError', code: 'disk' })
      const wanted = String(failure).includes('left it as it was') ? before : after
      expect(same(memory.files().get(path), wanted)).toBe(true)
    }
  })

  test('keeps a backup that is one whole generation at every step', () => {
    for (const fault of faults) {
      for (const { memory } of everyFault({ fault, keepPrevious: true })) {
        for (const files of [memory.files(), ...memory.afterPowerCut()]) {
          const copy = files.get(backup)
          expect(same(copy, older) || same(copy, before)).toBe(true)
        }
      }
    }
  })

  test('works on the disk that a power cut left, and leaves no temporary file', () => {
    for (const { memory } of everyFault({ fault: 'power', keepPrevious: true })) {
      for (const files of memory.afterPowerCut()) {
        const again = memoryDisk(files)
        replaceFile(again, path, after, { keepPrevious: true })
        expect([...again.files().keys()].sort()).toEqual([path, backup])
      }
    }
  })

  test('removes its temporary files after a single failure', () => {
    for (const { memory } of everyFault({ fault: 'fail', keepPrevious: true })) {
      expect([...memory.files().keys()].sort()).toEqual([path, backup])
    }
  })

  test('would be caught without the sync of the file', () => {
    const states = [...everyFault({ fault: 'power', keepPrevious: true, forgets: 'sync' })]
    expect(states.every(({ memory }) => memory.afterPowerCut().every(isWhole))).toBe(false)
  })

  test('would be caught without the sync of the folder', () => {
    const states = [...everyFault({ fault: 'power', keepPrevious: true, forgets: 'syncFolder' })]
    const lasting = states
      .filter(({ failure }) => failure === undefined)
      .every(({ memory }) => memory.afterPowerCut().every(files => same(files.get(path), after)))
    expect(lasting).toBe(false)
  })
})

describe('replacing a file', () => {
  test('overwrites every old copy when none is to be kept', () => {
    const memory = memoryDisk(start)
    replaceFile(memory, path, after, { keepPrevious: false })
    expect([...memory.files().keys()]).toEqual([path])
    const contents = memory.remains().map(bytes => Buffer.from(bytes).toString())
    expect(contents.filter(text => text.includes('generation'))).toEqual(['generation three'])
  })

  test('writes all of it when the system takes a few bytes at a time', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 70 }),
        (bytes, most) => {
          const memory = memoryDisk(start)
          replaceFile(shortWrites(memory, most), path, bytes, { keepPrevious: true })
          expect(same(memory.files().get(path), bytes)).toBe(true)
        },
      ),
    )
  })

  test('refuses to put in place what reads back differently', () => {
    const memory = memoryDisk(start)
    const lying: Disk = { ...memory, open: opened => flipped(memory.open(opened, 'read')) }
    expect(() => replaceFile(lying, path, after, { keepPrevious: false })).toThrow(
      /reads back differently/,
    )
    expect(same(memory.files().get(path), before)).toBe(true)
    expect([...memory.files().keys()]).toEqual([path, backup])
  })
})

function flipped(file: OpenFile): OpenFile {
  const read: OpenFile['read'] = (into, position) => {
    const count = file.read(into, position)
    if (count > 0) into[0] = (into[0] ?? 0) ^ 1
    return count
  }
  return { ...file, read }
}

const isRoot = process.getuid?.() === 0
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-disk-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A folder of its own for one test. */
function fresh(name: string): string {
  const made = join(folder, name)
  mkdirSync(made, { mode: 0o700 })
  return made
}

function privateFile(name: string, contents = 'contents'): string {
  const file = join(fresh(name), 'wallet.dat')
  writeFileSync(file, contents, { mode: 0o600 })
  return file
}

const read = (file: string) => readGuarded(realDisk, file, 1000)
const code = (wanted: string) => expect.objectContaining({ name: 'KmsError', code: wanted })

describe('the real disk', () => {
  test('replaces, keeps the previous file and removes what dead runs left', () => {
    const file = privateFile('replace', 'one')
    const stale = ['.wallet.dat.123.tmp', '.wallet.dat.bak.123.tmp']
    const stranger = join(file, '..', '.wallet.dat.notes.tmp')
    for (const name of stale) writeFileSync(join(file, '..', name), 'half')
    writeFileSync(stranger, 'mine')
    replaceFile(realDisk, file, Buffer.from('two'), { keepPrevious: true })
    expect(readFileSync(file, 'utf8')).toBe('two')
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe('one')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(`${file}.bak`).mode & 0o777).toBe(0o600)
    for (const name of stale) expect(existsSync(join(file, '..', name))).toBe(false)
    expect(existsSync(stranger)).toBe(true)
    replaceFile(realDisk, file, Buffer.from('three'), { keepPrevious: false })
    expect(existsSync(`${file}.bak`)).toBe(false)
  })

  test('makes a new file private whatever the umask is', () => {
    const file = join(fresh('new'), 'wallet.dat')
    const umask = process.umask(0)
    try {
      replaceFile(realDisk, file, Buffer.from('one'), { keepPrevious: true })
    } finally {
      process.umask(umask)
    }
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(existsSync(`${file}.bak`)).toBe(false)
  })

  test('leaves a hard link to the old file alone', () => {
    const file = privateFile('hard-link', 'one')
    linkSync(file, `${file}.mine`)
    replaceFile(realDisk, file, Buffer.from('two'), { keepPrevious: false })
    expect(readFileSync(`${file}.mine`, 'utf8')).toBe('one')
  })

  test.if(isRoot)('keeps owner and group of the file it replaces', () => {
    const file = privateFile('owner')
    chownSync(file, 1234, 4321)
    replaceFile(realDisk, file, Buffer.from('two'), { keepPrevious: true })
    for (const name of [file, `${file}.bak`]) {
      expect(statSync(name)).toMatchObject({ uid: 1234, gid: 4321, mode: 0o100600 })
    }
    replaceFile(realDisk, file, Buffer.from('three'), {
      keepPrevious: true,
      owner: { uid: 7, gid: 8 },
    })
    expect(statSync(file)).toMatchObject({ uid: 7, gid: 8 })
  })

  test('neither reads nor replaces through a symbolic link', () => {
    const file = privateFile('link')
    const link = `${file}.link`
    symlinkSync(file, link)
    expect(() => read(link)).toThrow(code('unsafe-permissions'))
    const replace = () => replaceFile(realDisk, link, Buffer.from('x'), { keepPrevious: true })
    expect(replace).toThrow(code('unsafe-permissions'))
    expect(readFileSync(file, 'utf8')).toBe('contents')
  })

  test('reads a private file, and undefined where there is none', () => {
    const file = privateFile('read')
    expect(read(file)).toEqual(new Uint8Array(Buffer.from('contents')))
    expect(read(`${file}.no`)).toBeUndefined()
    expect(read(`${file}/below`)).toBeUndefined()
  })

  test.each([0o640, 0o604, 0o620, 0o601, 0o777])('refuses a file of mode %o', mode => {
    const file = privateFile(`mode-${mode}`)
    chmodSync(file, mode)
    expect(() => read(file)).toThrow(
      expect.objectContaining({ code: 'unsafe-permissions', hint: `chmod 600 ${file}` }),
    )
  })

  test.if(isRoot)("what root makes in somebody's folder is theirs", () => {
    const folder = fresh('theirs')
    chownSync(folder, 1234, 1234)
    const path = join(folder, 'wallet.dat')
    replaceFile(realDisk, path, Buffer.from('x'), { keepPrevious: true })
    expect(realDisk.look(path)).toMatchObject({ uid: 1234, gid: 1234, mode: 0o600 })
  })

  test.if(isRoot)("refuses another user's file, but root administers everybody's", () => {
    const file = privateFile('foreign')
    chownSync(file, 1234, 0)
    const asSomebody: Disk = { ...realDisk, user: () => 4321 }
    expect(() => readGuarded(asSomebody, file, 1000)).toThrow(code('unsafe-permissions'))
    expect(read(file)).toBeDefined()
  })

  test('refuses what is not a file', async () => {
    const pipe = join(fresh('pipe'), 'wallet.dat')
    expect(await Bun.spawn(['mkfifo', '-m', '600', pipe]).exited).toBe(0)
    expect(() => read(pipe)).toThrow(code('unsafe-permissions'))
    expect(() => read(folder)).toThrow(code('unsafe-permissions'))
  })

  test('refuses a file above the size cap', () => {
    const file = privateFile('large', 'x'.repeat(1001))
    expect(() => read(file)).toThrow(code('vault-damaged'))
  })

  test('reads again when the file is replaced while it is read', () => {
    const file = privateFile('replaced', 'old')
    let replaced = false
    const racing: Disk = {
      ...realDisk,
      open(name, access) {
        const opened = realDisk.open(name, access)
        if (!replaced) {
          replaced = true
          writeFileSync(`${file}.new`, 'new', { mode: 0o600 })
          renameSync(`${file}.new`, file)
        }
        return opened
      },
    }
    expect(Buffer.from(readGuarded(racing, file, 100) ?? []).toString()).toBe('new')
  })

  test('turns names the system refuses into faults', () => {
    for (const name of ['\0', 'x'.repeat(5000)]) {
      const touch = () => {
        read(name)
        replaceFile(realDisk, join(folder, name, 'x'), Buffer.from(''), { keepPrevious: true })
      }
      expect(touch).toThrow(expect.objectContaining({ name: 'KmsError' }))
    }
  })

  test('says that the disk is full', () => {
    const device = () => ({ ...realDisk.open('/dev/full', 'read-write'), chown: () => {} })
    const full: Disk = { ...realDisk, create: device }
    const file = privateFile('full')
    const replace = () => replaceFile(full, file, Buffer.from('two'), { keepPrevious: true })
    expect(replace).toThrow(`cannot write ${file} and left it as it was: no space left on the disk`)
    expect(readFileSync(file, 'utf8')).toBe('contents')
  })
})

describe('the folder of the vault', () => {
  test('is made with its parents, private', () => {
    const made = join(folder, 'a', 'b')
    expect(ensureFolder(realDisk, made)).toEqual([])
    for (const each of [made, join(folder, 'a')]) expect(statSync(each).mode & 0o777).toBe(0o700)
    expect(ensureFolder(realDisk, made)).toEqual([])
  })

  test('is refused when others may write to it', () => {
    for (const mode of [0o770, 0o702, 0o1777]) {
      const open = fresh(`folder-${mode}`)
      chmodSync(open, mode)
      expect(() => ensureFolder(realDisk, open)).toThrow(code('unsafe-permissions'))
    }
  })

  test('is warned about when others may look into it', () => {
    const open = fresh('readable')
    chmodSync(open, 0o755)
    expect(ensureFolder(realDisk, open)).toEqual([
      `others than its owner may look into ${open} (chmod 700 ${open})`,
    ])
  })

  test('is refused when it is a file, or below one', () => {
    const file = privateFile('not-a-folder')
    expect(() => ensureFolder(realDisk, file)).toThrow(code('disk'))
    expect(() => ensureFolder(realDisk, join(file, 'x'))).toThrow(code('disk'))
  })
})

describe('the lock', () => {
  const script = join(import.meta.dir, '../../src/base/disk.ts')
  /** Another process that holds the lock until its stdin ends. */
  async function otherHolder(file: string) {
    const program = `
      const { withLock, realDisk } = await import(${JSON.stringify(script)})
      await withLock(realDisk, ${JSON.stringify(file)}, 0, async () => {
        console.log('held')
        for await (const _ of process.stdin) {}
      })`
    const child = Bun.spawn([process.execPath, '-e', program], { stdin: 'pipe', stdout: 'pipe' })
    const { value } = await child.stdout.getReader().read()
    expect(Buffer.from(value ?? []).toString()).toBe('held\n')
    return child
  }

  test('is bounded while another process has it, and had when that ends', async () => {
    const file = privateFile('lock')
    const other = await otherHolder(file)
    const asked = performance.now()
    const wait = (waitMs: number) => withLock(realDisk, file, waitMs, () => 'mine')
    expect(wait(200)).rejects.toThrow(code('vault-busy'))
    await wait(0).catch(() => {})
    expect(performance.now() - asked).toBeLessThan(1500)
    const patient = wait(5000)
    other.stdin.end()
    expect(await patient).toBe('mine')
    expect(await other.exited).toBe(0)
    expect(statSync(`${file}.lock`).mode & 0o777).toBe(0o600)
  })

  test('is free again when its holder is killed', async () => {
    const file = privateFile('killed')
    const other = await otherHolder(file)
    other.kill('SIGKILL')
    await other.exited
    expect(await withLock(realDisk, file, 0, () => 1)).toBe(1)
  })

  test('holds between two tasks of one process, and comes back after a failure', async () => {
    const file = privateFile('tasks')
    const inner = () => withLock(realDisk, file, 0, () => 1)
    expect(withLock(realDisk, file, 0, inner)).rejects.toThrow(code('vault-busy'))
    await Bun.sleep(10)
    const failing = withLock(realDisk, file, 0, () => {
      throw new Error('mine')
    })
    expect(failing).rejects.toThrow('mine')
    expect(await inner()).toBe(1)
    expect(readdirSync(join(file, '..')).sort()).toEqual(['wallet.dat', 'wallet.dat.lock'])
  })

  test('is not taken through a symbolic link', () => {
    const file = privateFile('lock-link')
    symlinkSync(file, `${file}.lock`)
    expect(withLock(realDisk, file, 0, () => 1)).rejects.toThrow(code('unsafe-permissions'))
  })

  test.if(isRoot)('belongs to the owner of its folder', async () => {
    const file = privateFile('lock-owner')
    chownSync(join(file, '..'), 1234, 4321)
    await withLock(realDisk, file, 0, () => 1)
    expect(statSync(`${file}.lock`)).toMatchObject({ uid: 1234, gid: 4321 })
  })
})
