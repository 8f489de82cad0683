import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Http, request, retrying } from '../../src/base/http.ts'
import { askPassword } from '../../src/password/managers/ask-password.ts'
import type { ManagerName } from '../../src/password/managers/names.ts'
import type { FakeManagers } from './fake-managers/server.ts'
import type { Settings } from './fake-managers/variables.ts'

/** Trusts `authorities` and, as the program does, asks three times at most. */
export function testHttp(authorities: string): Http {
  const once: Http = asked => request({ ...asked, authorities })
  return retrying(once, { attempts: 3, sleep: async () => {}, random: () => 0 })
}

/** Asks in this process, as if `settings` were all the environment. */
export function askHere(manager: ManagerName, settings: Settings, http: Http): Promise<string> {
  return askPassword(manager, {
    http,
    variable: name => settings[name] || undefined,
    fileOf: name => {
      const path = settings[name]
      return path === undefined ? undefined : readFileSync(path, 'utf8').trim()
    },
    now: () => Date.now(),
  })
}

/** A file as platforms write them, gone with the fake managers. */
export function tokenFile({ certFile }: FakeManagers, name: string, content: string): string {
  const path = join(dirname(certFile), name)
  writeFileSync(path, `${content}\n`)
  return path
}
