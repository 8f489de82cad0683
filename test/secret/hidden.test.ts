import { expect, test } from 'bun:test'
import { join } from 'node:path'

const memory = join(import.meta.dir, '../../src/secret/memory.ts')

test.skipIf(process.platform !== 'linux')(
  'a process with a secret leaves no core and cannot be looked into by its own user',
  () => {
    const script = `
      const { readFileSync, statSync } = require('node:fs')
      const { allocateLocked } = require('${memory}')
      const limit = () => /Max core file size\\s+(\\S+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1]
      const owner = () => statSync('/proc/self/mem').uid
      const before = [owner()]
      allocateLocked(32)
      console.log(JSON.stringify({ before, after: [limit(), owner()] }))
    `
    // As nobody: files of /proc belong to root as soon as a process is not dumpable.
    const run = Bun.spawnSync({
      cmd: [...asNobody(), process.execPath, '-e', script],
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' },
    })
    expect(run.stderr.toString()).toBe('')
    const user = asNobody().length > 0 ? 65_534 : process.getuid?.()
    expect(JSON.parse(run.stdout.toString())).toEqual({ before: [user], after: ['0', 0] })
  },
)

function asNobody(): readonly string[] {
  if (process.getuid?.() !== 0) return []
  return ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
}
