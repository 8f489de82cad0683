import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { fromHex } from '../../src/base/bytes.ts'
import { asKmsError, diagnosisOf, KmsError } from '../../src/base/errors.ts'

const source = join(import.meta.dir, '../../src')

/** What `work` throws. */
function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (thrown) {
    return thrown
  }
  throw new Error('nothing was thrown')
}

describe('the diagnosis of an internal fault', () => {
  test('names the class and our own lines, and nothing of the message', () => {
    const message = 'secret words\n    at f (src/secret/words.ts:1:1)\n  more secret'
    const cause = thrownBy(() => {
      const bad = {
        get length(): number {
          throw new RangeError(message)
        },
      }
      fromHex(bad as never)
    })
    const diagnosis = diagnosisOf(asKmsError(cause)) ?? ''
    expect(diagnosis).toMatch(/^RangeError at src\/base\/bytes\.ts:\d+:\d+/)
    expect(diagnosis).not.toMatch(/secret|words/)
  })

  test('of something else than an error is its type', () => {
    expect(diagnosisOf(asKmsError('secret'))).toBe('string was thrown')
    expect(diagnosisOf(asKmsError(null))).toBe('object was thrown')
  })

  test('is not given for a fault that explains itself', () => {
    const cause = new TypeError('x')
    expect(diagnosisOf(new KmsError('disk', 'full', { cause }))).toBeUndefined()
    expect(diagnosisOf(new KmsError('unexpected', 'known'))).toBeUndefined()
    const known = new KmsError('disk', 'full')
    expect(diagnosisOf(new KmsError('unexpected', 'x', { cause: known }))).toBeUndefined()
  })
})

test('an internal fault of a command is told in two lines, the second says where', async () => {
  const program = `
    const { commands } = await import('${source}/cli/commands.ts')
    const { run } = await import('${source}/cli/app.ts')
    const load = async () => async () => { throw new TypeError('secret words') }
    commands.push({ name: 'explode', args: [], about: '', options: [], load })
    process.exit(await run(['explode']))`
  const child = Bun.spawn([process.execPath, '-e', program], { stderr: 'pipe' })
  const [first, second, ...rest] = (await child.stderr.text()).split('\n')
  expect(await child.exited).toBe(1)
  expect(first).toBe('tatum-kms: error: internal fault')
  expect(second).toMatch(/^tatum-kms: TypeError( at src\/cli\/app\.ts:\d+:\d+)+$/)
  expect(rest).toEqual([''])
})
