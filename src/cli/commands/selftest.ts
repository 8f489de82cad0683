import { prettyJson } from '../../base/json.ts'
import { openKeyRoom } from '../../secret/key-room.ts'
import type { Action } from '../action.ts'
import { exitStatus } from '../exit.ts'
import { selfChecks } from '../selftest/all-checks.ts'
import { runChecks, type SelfResult } from '../selftest/check.ts'
import { table } from '../table.ts'
import { version } from '../version.ts'

/** `selftest`: whether this program, on this machine, still makes what others have published. */
export const selftest: Action = async ({ terminal, isSet, monotonic }) => {
  await using room = openKeyRoom()
  const results = await runChecks(selfChecks(room), monotonic)
  const count = (ok: boolean | null) => results.filter(result => result.ok === ok).length
  const counts = { passed: count(true), failed: count(false), skipped: count(null) }
  const platform = `${process.platform}-${process.arch}`
  if (isSet('json')) terminal.answer(prettyJson({ version, platform, results, ...counts }))
  else {
    terminal.answer(asTable(results))
    const said = Object.entries(counts).map(([what, times]) => `${what} ${times}`)
    terminal.answer(`tatum-kms ${version} on ${platform}: ${said.join(', ')}`)
  }
  return counts.failed > 0 ? exitStatus.unexpected : 0
}

function asTable(results: readonly SelfResult[]): string {
  const rows = results.map(({ ok, name, source, about }) => [
    ok === null ? 'skipped' : ok ? 'ok' : 'failed',
    name,
    about === undefined ? source : `${source}: ${about}`,
  ])
  return table(['result', 'what', 'after whom'], rows)
}
