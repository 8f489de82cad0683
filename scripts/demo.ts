/** A short session with the real binary, in a folder of its own that is gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const binary = resolve('dist/tatum-kms')
const home = mkdtempSync(join(tmpdir(), 'kms-demo-'))
try {
  kms('--version')
  const wallet = kms('generatemanagedwallet', 'ETH', '--testnet')
  const id = /"signatureId": "([^"]+)"/.exec(wallet)?.[1]
  if (id === undefined) throw new Error('generatemanagedwallet printed no signatureId')
  kms('getaddress', id, '0')
  kms('getaddress', id, '1')
} finally {
  rmSync(home, { recursive: true })
}

/** Shows the command and its answer; a command that fails ends the demo. */
function kms(...args: readonly string[]): string {
  console.log(`$ tatum-kms ${args.join(' ')}`)
  const run = Bun.spawnSync([binary, ...args], {
    cwd: home,
    env: { HOME: home, TATUM_KMS_PASSWORD: 'a password for this demo only' },
    stdin: 'ignore',
    stderr: 'inherit',
    timeout: 60_000,
  })
  const answer = run.stdout.toString()
  console.log(answer)
  if (run.exitCode !== 0) throw new Error(`tatum-kms ${args[0]} exited with ${run.exitCode}`)
  return answer
}
