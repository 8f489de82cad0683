import { describe, expect, test } from 'bun:test'
import { closeSync, openSync } from 'node:fs'
import { asKmsError, KmsError } from '../../src/base/errors.ts'
import { encodeFault, fetchInChild } from '../../src/password/fetch-child.ts'
import { refusalOf, revealedText } from '../support/secret.ts'

/** Runs a shell in the place of our own program: it is told nothing but the variables. */
function fetchFrom(script: string, variables: Readonly<Record<string, string>> = {}) {
  return fetchInChild({
    self: ['/bin/sh', '-c', script],
    manager: 'vgs',
    variable: name => variables[name],
  })
}

describe('the process that asks', () => {
  test.each([
    ['printf hunter2', 'hunter2'],
    ['printf "hunter2\\nmore"', 'hunter2'],
    ['echo noise >&2; printf hunter2', 'hunter2'],
    ['printf "$TATUM_KMS_VGS_ALIAS"', 'alias'],
    ['printf "[$HOME$OTHER$TATUM_KMS_PASSWORD]"', '[]'],
    ['printf "$0 $1"', 'fetch-password vgs'],
  ])('%s', (script, wanted) => {
    using password = fetchFrom(script, { TATUM_KMS_VGS_ALIAS: 'alias', OTHER: 'other' })
    expect(revealedText(password)).toBe(wanted)
  })

  test('says why it failed, in its own words', () => {
    const fault = new KmsError('network', 'could not reach the VGS vault', {
      hint: "check it's up",
    })
    const refusal = refusalOf(() =>
      fetchFrom(`echo noise >&2; echo '${asShell(fault)}' >&2; exit 9`),
    )
    const { code, message, hint } = refusal
    expect({ code, message, hint }).toEqual({
      code: 'network',
      message: 'could not reach the VGS vault',
      hint: "check it's up",
    })
  })

  const odd: readonly (readonly [name: string, script: string, message: string])[] = [
    ['dies', 'kill -9 $$', 'was ended by a signal'],
    ['fails without a word', 'printf hunter2; exit 7', 'ended with status 7'],
    ['crashes', 'echo "panic: hunter2" >&2; exit 1', 'ended with status 1'],
    ['says something else', `echo '{"message":7}' >&2; exit 1`, 'ended with status 1'],
    ['says nothing', 'exit 0', 'wrote no password'],
    ['says a page', `printf '{"message":"%0500d"}' 7 >&2; exit 1`, 'ended with status 1'],
    ['controls the terminal', `printf '{"message":"a\\\\u001b[2J"}' >&2; exit 1`, 'status 1'],
  ]
  test.each(odd)('that %s', (_, script, message) => {
    const refusal = refusalOf(() => fetchFrom(script))
    expect(refusal.code).toBe('unexpected')
    expect(refusal.message).toStartWith('the process that asks the VGS vault ')
    expect(refusal.message).toEndWith(message)
    expect(refusal.message).not.toContain('hunter2')
  })

  test('has no code but those it may have', () => {
    const fault = new KmsError('wrong-password', 'as it says')
    const { code, message } = refusalOf(() => fetchFrom(`echo '${asShell(fault)}' >&2; exit 1`))
    expect({ code: code as string, message }).toEqual({ code: 'unexpected', message: 'as it says' })
  })

  test('tells where an internal fault came from', () => {
    const fault = asKmsError(new TypeError('hunter2'))
    const { hint = '' } = refusalOf(() => fetchFrom(`echo '${asShell(fault)}' >&2; exit 1`))
    expect(hint).toMatch(/^TypeError/)
    expect(hint).not.toContain('hunter2')
  })

  test('is told no variable with a zero byte', () => {
    const refusal = refusalOf(() => fetchFrom('exit 1', { TATUM_KMS_VGS_PASSWORD: 'hunter2\0' }))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toBe('TATUM_KMS_VGS_PASSWORD holds a zero byte')
  })

  test('leaves no descriptor open, whatever happens', () => {
    const next = () => {
      const fd = openSync('/dev/null', 'r')
      closeSync(fd)
      return fd
    }
    const before = next()
    for (let i = 0; i < 5; i++) {
      fetchFrom('printf hunter2').wipe()
      for (const [, script] of odd) refusalOf(() => fetchFrom(script))
      refusalOf(() => fetchFrom('', { TATUM_KMS_VGS_ALIAS: '\0' }))
    }
    expect(next()).toBe(before)
  })
})

function asShell(fault: KmsError): string {
  return encodeFault(fault).replaceAll("'", "'\\''")
}
