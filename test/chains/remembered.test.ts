import { expect, test } from 'bun:test'
import { remembered, rememberedOf } from '../../src/chains/family/remembered.ts'

function counted<T>(answer: (name: string) => T) {
  const asked: string[] = []
  const ask = remembered(name => {
    asked.push(name)
    return answer(name)
  })
  return { asked, ask }
}

test('what follows from a name is worked out once', () => {
  const { asked, ask } = counted(name => name.length)
  expect(['one', 'three', '__proto__', 'one', '__proto__'].map(ask)).toEqual([3, 5, 9, 3, 9])
  expect(asked).toEqual(['one', 'three', '__proto__'])
})

test('what is nothing, and what was refused, is asked anew', () => {
  const { asked, ask } = counted(name => {
    if (name === 'bad') throw new Error('refused')
    return undefined
  })
  for (let i = 0; i < 2; i++) {
    expect(ask('none')).toBeUndefined()
    expect(() => ask('bad')).toThrow('refused')
  }
  expect(asked).toEqual(['none', 'bad', 'none', 'bad'])
})

test('no more than 20,000 names are kept', () => {
  const { asked, ask } = counted(name => name)
  for (let i = 0; i < 20_000; i++) ask(`${i}`)
  ask('0')
  expect(asked.length).toBe(20_000)
  ask('one more')
  expect(ask('0')).toBe('0')
  expect(asked.length).toBe(20_002)
})

test('what is remembered of an object is worked out once for each, equal ones included', () => {
  const rememberOf = rememberedOf<{ readonly name: string }, number>()
  let worked = 0
  const [one, other] = [{ name: 'a' }, { name: 'a' }]
  const ask = (of: typeof one): number => rememberOf(of, () => ++worked)
  expect([ask(one), ask(other), ask(one), ask(other)]).toEqual([1, 2, 1, 2])
})
