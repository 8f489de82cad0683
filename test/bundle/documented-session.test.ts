import { expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canUnshare, makeMachines } from '../support/bundle-home.ts'
import { startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethPayment } from '../support/payments.ts'
import { binaryUnderTest } from '../support/script.ts'

const operations = readFileSync(join(import.meta.dir, '../../docs/operations.md'), 'utf8')
const [, section = ''] = operations.split('\n## Air gap\n')
const [, session = ''] = /```sh\n([^`]*)```/.exec(section) ?? []

test.skipIf(!canUnshare)(
  'the session of docs/operations.md pays as it is printed',
  async () => {
    using machines = await makeMachines()
    await using tatum = startFakeTatum({ network: 'mainnet' })
    for (const payment of [ethPayment(1), btcPayment(2)]) tatum.queue(payment)
    const { folder } = machines
    const vault = `--path=${folder}/vault/wallet.dat --password-file=${folder}/password`
    const program = binaryUnderTest.map(word => `'${word}'`).join(' ')
    const shims = {
      // There is no person who could be asked.
      offline: `case "$2" in sign) set -- "$@" --yes; esac; exec unshare --net ${program} "$@" ${vault}`,
      online: `exec ${program} "$@"`,
    }
    const steps = session.trim().split('\n')
    expect(steps).toHaveLength(4)
    for (const step of steps) {
      const [, command = '', where = ''] = /^(.+?) +# (offline|online)/.exec(step) ?? []
      const shim = where === 'offline' ? shims.offline : shims.online
      writeFileSync(join(folder, 'tatum-kms'), `#!/bin/sh\n${shim}\n`, { mode: 0o755 })
      const run = Bun.spawn(['sh', '-c', command], {
        cwd: folder,
        env: {
          HOME: join(folder, 'online'),
          PATH: `${folder}:${process.env['PATH']}`,
          ...(where === 'online' && { TATUM_API_URL: tatum.url, TATUM_API_KEY: tatum.apiKey }),
        },
        stdout: 'ignore',
        stderr: 'pipe',
        timeout: 60_000,
      })
      const said = await run.stderr.text()
      expect({ step, said, status: await run.exited }).toMatchObject({ step, status: 0 })
    }
    expect([...tatum.state.settled.values()].map(paid => paid.length)).toEqual([1, 1])
  },
  120_000,
)
