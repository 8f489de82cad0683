import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { intentKinds } from '../../src/chains/kinds.ts'
import { readSourceTree } from '../support/source-tree.ts'

const sources = readSourceTree(join(import.meta.dir, '../../src/chains'))
const all = sources
  .filter(({ path }) => path !== 'kinds.ts')
  .map(({ code }) => code)
  .join('\n')
const intents = sources
  .filter(({ path }) => /intent|xlm-operation|evm-calls/.test(path))
  .map(({ code }) => code)
  .join('\n')

/** Of what an intent is made of, and not its own. */
const others = ['legacy', 'sender', 'payer']

test('a policy can name every kind that a chain gives to a payment', () => {
  const named = [
    ...intents.matchAll(/(?:\bkind: |\breturn )(?:[^'\n,{}]* \? )?'([a-z-]+)'(?: : '([a-z-]+)')?/g),
  ]
  const joined = [...intents.matchAll(/\$\{kind\}\+([a-z-]+)`/g)]
  const found = new Set(
    [...named, ...joined].flatMap(([, ...kinds]) => kinds.filter(kind => kind !== undefined)),
  )
  expect(found.size).toBeGreaterThan(30)
  const unknown = [...found].filter(kind => !intentKinds.includes(kind) && !others.includes(kind))
  expect(unknown).toEqual([])
})

test('and no other', () => {
  expect(intentKinds.filter(kind => !new RegExp(`['+]${kind}['\`]`).test(all))).toEqual([])
  expect(new Set(intentKinds).size).toBe(intentKinds.length)
})
