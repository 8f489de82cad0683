/**
 * Writes src/cli/selftest/payments.json, one recorded payment of every chain with what the front
 * adds to it. Run by hand, then `biome format`: bun test/support/make-selftest-payments.ts
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { selftestPayments } from './selftest-payments.ts'

const file = join(import.meta.dir, '../../src/cli/selftest/payments.json')
writeFileSync(file, `${JSON.stringify(await selftestPayments(), null, 1)}\n`)
