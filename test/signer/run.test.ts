import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import { hardenedWallet, type OddPlan } from '../support/odd-front.ts'
import { wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const program = join(import.meta.dir, '../support/odd-front.ts')
const template = mkdtempSync(join(tmpdir(), 'kms-run-'))
await storeWallets(template, [wallets.ethMnemonic, hardenedWallet])
afterAll(() => rmSync(template, { recursive: true }))

let folder: string
const running = new Set<number>()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-run-'))
  cpSync(template, folder, { recursive: true })
})

afterEach(() => {
  for (const pid of running) process.kill(-pid, 'SIGKILL')
  running.clear()
  rmSync(folder, { recursive: true })
})

describe.skipIf(process.platform === 'win32')('the signer', () => {
  test('ends with the status of its front', async () => {
    expect(await run({ front: 'ends' })).toMatchObject({ status: 7 })
  })

  test('kills a front that ended its pipe and lives on, with vault and lock free before', async () => {
    const odd = start({ front: 'closes-and-stays' })
    await odd.saysSoon('the front is up')
    process.kill(odd.pid, 'SIGTERM')
    await Bun.sleep(500)
    const unlock = realDisk.tryLock(join(folder, 'wallet.dat.ledger.lock'))
    expect(unlock).toBeFunction()
    unlock?.()
    const { status, said } = await odd.ended
    expect(status).toBe(100)
    expect(said).toContain('the network process did not end by itself and was killed')
  }, 15_000)

  test('answers with a fault what fits no frame, and then the next question', async () => {
    const { status, said } = await run({ front: 'asks-too-much' })
    expect(said).toContain('1: {"fault":{"code":"unexpected","message":"a frame is too large"}}')
    expect(said).toContain('2: {"ok":{"vaultId":')
    expect(status).toBe(7)
  })

  test('answers a front that asks everything at once, all of it', async () => {
    expect(await run({ front: 'asks-without-end' })).toMatchObject({ status: 7 })
  }, 30_000)

  test('waits for a predecessor that is about to end', async () => {
    const unlock = realDisk.tryLock(join(folder, 'wallet.dat.ledger.lock'))
    const odd = start({ front: 'ends', lockWaitMs: 10_000 })
    await Bun.sleep(1000)
    unlock?.()
    expect(await odd.ended).toMatchObject({ status: 7 })
  })

  test('does not sign beside another one, and says which', async () => {
    const unlock = realDisk.tryLock(join(folder, 'wallet.dat.ledger.lock'))
    const { status, said } = await run({ front: 'ends', lockWaitMs: 100 })
    unlock?.()
    expect(status).toBe(100)
    expect(said).toContain('error: vault-busy: another process holds')
    expect(said).toContain('another daemon signs with this vault')
  })
})

describe.skipIf(process.platform === 'win32')('a new ledger', () => {
  const warning = 'warning: no ledger was found beside the vault'

  test('beside a new vault is nothing to speak of', async () => {
    expect((await run({ front: 'ends' })).said).not.toContain('warning')
  })

  test('beside a vault that was written before is warned about, once', async () => {
    await storeWallets(folder, [wallets.ethKey])
    rmSync(join(folder, 'wallet.dat.bak'), { force: true })
    expect((await run({ front: 'ends' })).said).toContain(warning)
    expect((await run({ front: 'ends' })).said).not.toContain('warning')
  })

  test('beside a vault with an older copy is warned about', async () => {
    copyFileSync(join(folder, 'wallet.dat'), join(folder, 'wallet.dat.bak'))
    expect((await run({ front: 'ends' })).said).toContain(warning)
  })
})

describe.skipIf(process.platform === 'win32')('an accepted rollback', () => {
  test('is warned about when it is one', async () => {
    const old = await Bun.file(join(folder, 'wallet.dat')).bytes()
    await storeWallets(folder, [wallets.ethKey])
    const accepting = { front: 'ends', acceptRollback: true } as const
    expect((await run(accepting)).said).not.toContain('older')
    writeFileSync(join(folder, 'wallet.dat'), old)
    const { status, said } = await run(accepting)
    expect(said).toContain('warning: an older vault is accepted: generation 1, although 2 was seen')
    expect(status).toBe(7)
  })
})

function start(plan: Omit<OddPlan, 'folder'>) {
  const child = Bun.spawn(
    [process.execPath, program, JSON.stringify({ folder, ...plan } satisfies OddPlan)],
    { env: {}, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe', detached: true },
  )
  running.add(child.pid)
  let said = ''
  const heard = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of child.stderr) said += decoder.decode(chunk, { stream: true })
  })()
  const ended = Promise.all([child.exited, heard]).then(([status]) => {
    running.delete(child.pid)
    return { status, said }
  })
  const saysSoon = async (text: string): Promise<void> => {
    for (let waited = 0; !said.includes(text); waited += 10) {
      if (waited > 10_000) throw new Error(`waited in vain: ${said}`)
      await Bun.sleep(10)
    }
  }
  return { pid: child.pid, ended, saysSoon }
}

function run(plan: Omit<OddPlan, 'folder'>) {
  return start(plan).ended
}
