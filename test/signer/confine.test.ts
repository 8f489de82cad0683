import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConfinedPlan, Outcomes } from '../support/confined-process.ts'
import {
  asOtherUser,
  canChangeUser,
  foreignCalls,
  foreignUses,
  otherUser,
  runConfined,
} from '../support/confinement.ts'

const networkCalls = [
  'socket',
  'socketpair',
  'bind',
  'listen',
  'accept',
  'sendmsg',
  'recvmsg',
] as const
const folder = mkdtempSync(join(tmpdir(), 'kms-confine-'))
const outside = mkdtempSync(join(tmpdir(), 'kms-outside-'))
const vaultPath = join(folder, 'wallet.dat')
const newFile = join(folder, 'wallet.dat.ledger')
const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
const sleeper = Bun.spawn(['sleep', '60'])

beforeAll(() => {
  mkdirSync(join(folder, 'journal'))
  writeFileSync(vaultPath, 'a vault')
  if (canChangeUser)
    for (const path of [folder, vaultPath, outside]) chownSync(path, otherUser, otherUser)
})
afterAll(() => {
  sleeper.kill()
  server.stop(true)
  for (const path of [folder, outside]) rmSync(path, { recursive: true })
})

const users = [
  ['its own user', []],
  ...(canChangeUser ? [['a user without rights', asOtherUser] as const] : []),
] as const

describe.skipIf(process.platform !== 'linux').each(users)(
  'the signer, run by %s',
  (user, before) => {
    let found: Outcomes = {}
    beforeAll(async () => {
      const plan: ConfinedPlan = {
        role: 'signer',
        vaultPath,
        journalFolder: join(folder, 'journal'),
        read: [vaultPath, '/etc/passwd', join(outside, 'x')],
        write: [newFile, join(outside, 'y')],
        ports: [server.port],
        calls: [...foreignCalls, ...networkCalls],
        signal: [sleeper.pid, process.pid],
      }
      writeFileSync(join(outside, 'x'), '')
      found = await runConfined(plan, before)
      rmSync(newFile)
    })

    test('has given up all there is to give up', () => expect(found['misses']).toBe(''))

    test('reads and writes beside the vault, on any thread', () => {
      expect(outcomesOf(`read ${vaultPath}`)).toEqual(['allowed'])
      expect(found[`write ${newFile}`]).toBe('allowed')
      expect(found['map memory']).toBe('allowed')
    })

    test('reads no other file, on any thread, and writes none', () => {
      expect(outcomesOf('read /etc/passwd')).toEqual(['EACCES'])
      expect(outcomesOf(`read ${join(outside, 'x')}`)).toEqual(['EACCES'])
      expect(found['list /etc']).toBe('EACCES')
      expect(found[`write ${join(outside, 'y')}`]).toBe('EACCES')
    })

    test('opens no socket and makes no connection', () => {
      expect(found[`connect ${server.port}`]).not.toBe('allowed')
      for (const call of networkCalls) expect([call, found[call]]).toEqual([call, 'errno 1'])
    })

    test('starts no program, looks into no other process, makes no code', () => {
      expect(found['start a program']).not.toBe('allowed')
      for (const call of foreignCalls) expect([call, found[call]]).toEqual([call, 'errno 1'])
      for (const use of foreignUses) expect([use, found[use]]).toEqual([use, 'errno 1'])
      expect(found['map code']).toStartWith('errno')
    })

    test('signals nobody but the front', () => {
      if (user === 'its own user') expect(found[`signal ${sleeper.pid}`]).toBe('allowed')
      expect(found[`signal ${process.pid}`]).toBe('EPERM')
    })

    function outcomesOf(what: string): readonly string[] {
      const all = [what, `${what} on a pool thread`, `${what} in a worker`].map(name => found[name])
      return [...new Set(all.map(one => one ?? 'not tried'))]
    }
  },
)
