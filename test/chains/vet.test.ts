import { describe, expect, test } from 'bun:test'
import type { ChainReads, Completion, HttpReads } from '../../src/base/model.ts'
import { vet } from '../../src/chains/vet.ts'
import {
  from,
  type Json,
  key,
  noReads,
  own,
  pendingOf,
  signAll,
  thrownBy,
  to,
  token,
} from '../support/evm.ts'
import { rejectionOf } from '../support/secret.ts'
import { readVet } from '../support/vechain.ts'

const { signal } = new AbortController()
const good = { from, to, value: '5' }
const bestId = '0x00dd2a5f4a4f9a8b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f50617283'
const blockRef = '0x00dd2a5f4a4f9a8b'
const completion = { gas: '21000', blockRef }
const hash = `0x${'ab'.repeat(32)}`

describe('completion', () => {
  test.each([
    ['a payment', good, 0, '21000'],
    ['one with a gas of its own, which the node is told', { ...good, gas: '0x1869f' }, 0, '21000'],
    ['a call', { ...good, data: '0x00ff' }, 100, `${21_000 + 4 + 68 + 100 + 15_000}`],
    ['a new contract', { data: '0x00ff00', value: 0 }, 7, `${53_000 + 76 + 7 + 15_000}`],
  ] as readonly (readonly [string, Json, number, string])[])(
    'of %s asks the node for gas and block',
    async (_name, json, gasUsed, gas) => {
      const asked: unknown[] = []
      const reads = nodeThat({
        post: async (path, body) => {
          asked.push([path, body])
          return [{ gasUsed, reverted: false, vmError: '' }]
        },
      })
      expect(await complete(json, reads)).toEqual({ gas, blockRef })
      const { data = '0x', value = 0, to: recipient = null } = json
      const clauses = [{ to: recipient, value: `0x${value}`, data }]
      const told = json['gas'] === undefined ? {} : { gas: 99_999 }
      expect(asked).toEqual([['/accounts/*?revision=best', { clauses, caller: from, ...told }]])
    },
  )

  test('leaves a block that is given, and asks for none', async () => {
    const reads = nodeThat({ get: path => Promise.reject(new Error(path)) })
    expect(await complete({ ...good, blockRef }, reads)).toEqual({ gas: '21000' })
  })

  // keccak-256("Error(string)") = 08c379a0…
  const reverted = `0x08c379a0${'20'.padStart(64, '0')}${'5'.padStart(64, '0')}${Buffer.from('is no').toString('hex').padEnd(64, '0')}`

  test.each([
    [
      { reverted: true, vmError: 'insufficient balance for transfer' },
      'insufficient balance for transfer',
    ],
    [{ reverted: true, vmError: '' }, 'no reason given'],
    [{ reverted: false, vmError: 'out of gas' }, 'out of gas'],
    [{ reverted: true, vmError: 'execution reverted', data: reverted }, 'is no'],
    [
      { reverted: true, vmError: 'execution reverted', data: `${reverted}00` },
      'execution reverted',
    ],
    [
      { reverted: true, vmError: 'execution reverted', data: `0x08c379a0${'ff'.repeat(64)}` },
      'execution reverted',
    ],
    [{ reverted: true, vmError: 'see https://node/key?k=1 or a\nb', data: 7 }, 'see [...] or a b'],
  ] as readonly (readonly [Json, string])[])('%j is a refusal', async (answer, reason) => {
    const reads = nodeThat({ post: async () => [{ gasUsed: 0, ...answer }] })
    expect(await rejectionOf(() => complete(good, reads))).toMatchObject({
      code: 'transaction-refused',
      message: `the VeChain node says that the payment would fail: ${reason}`,
    })
  })

  const estimate = { gasUsed: 0, reverted: false, vmError: '' }
  test.each([
    null,
    {},
    [],
    [null],
    [{}],
    [estimate, estimate],
    [{ ...estimate, gasUsed: '7' }],
    [{ ...estimate, gasUsed: -1 }],
    [{ ...estimate, gasUsed: 1.5 }],
    [{ ...estimate, reverted: 'no' }],
  ])('%j is no estimate', async answer => {
    const reads = nodeThat({ post: async () => answer })
    expect(await rejectionOf(() => complete(good, reads))).toMatchObject({ code: 'network' })
  })

  test.each([null, [], {}, { id: 7 }, { id: '0x00' }, { id: bestId.toUpperCase() }])(
    '%j is no block',
    async answer => {
      const reads = nodeThat({ get: async () => answer })
      expect(await rejectionOf(() => complete(good, reads))).toMatchObject({ code: 'network' })
    },
  )

  test.each([
    [{}, 'the transaction has no gas and completion adds none'],
    [
      { ...completion, gas: '20999' },
      'completion sets gas to something that is not a whole number from 21000 to 40000000',
    ],
    [
      { ...completion, gas: '40000001' },
      'completion sets gas to something that is not a whole number from 21000 to 40000000',
    ],
    [
      { ...completion, gas: '0x5208' },
      'completion sets gas to something that is not a whole number from 21000 to 40000000',
    ],
    [{ gas: '21000' }, 'completion sets blockRef to something that is not 0x and 16 hex digits'],
    [
      { ...completion, blockRef: hash },
      'completion sets blockRef to something that is not 0x and 16 hex digits',
    ],
    [{ ...completion, nonce: '1' }, 'completion sets a field that the transaction does not lack'],
    [{ ...completion, to: token }, 'completion sets a field that the transaction does not lack'],
  ] as readonly (readonly [Completion, string])[])(
    '%j is refused by the signer',
    (added, message) => {
      expect(thrownBy(() => vet.prepare(pendingOf(vet, good), own, added)).message).toBe(message)
    },
  )

  test('cannot change a block that is given', () => {
    const pending = pendingOf(vet, { ...good, blockRef })
    expect(thrownBy(() => vet.prepare(pending, own, completion)).message).toBe(
      'completion sets a field that the transaction does not lack',
    )
  })

  function complete(json: Json, reads: ChainReads): Promise<Completion> {
    return vet.complete(pendingOf(vet, json), own, reads, signal)
  }
})

describe('the nonce', () => {
  const nonceOf = (json: Json, id?: string) => readVet(sign(json, {}, id).txData).nonce

  test('is the one that is given', () => {
    expect(nonceOf({ ...good, nonce: '0xffffffffffffffff' })).toBe(2n ** 64n - 1n)
  })

  test('else comes of the pending id alone', () => {
    const nonce = nonceOf(good, 'a'.repeat(24))
    expect(nonceOf({ ...good, value: 6 }, 'a'.repeat(24))).toBe(nonce)
    expect(nonceOf(good, 'b'.repeat(24))).not.toBe(nonce)
  })

  test('is for one payment only, unless something else of it is different', () => {
    const prepared = vet.prepare(pendingOf(vet, { ...good, nonce: 7 }), own, completion)
    const { txData } = prepared.seal(signAll(prepared, key))
    expect(prepared.claims).toEqual([`tx/${readVet(txData).txId}`])
    const later = { ...completion, blockRef: `${blockRef.slice(0, -1)}c` }
    const anew = vet.prepare(pendingOf(vet, { ...good, nonce: 7 }), own, later)
    expect(anew.claims).not.toEqual(prepared.claims)
  })

  test('is taken for good only where the block to count from is given, too', () => {
    const isDated = (json: Json, added: Completion): boolean =>
      vet.prepare(pendingOf(vet, json), own, added).isDated
    expect(isDated({ ...good, nonce: 7 }, completion)).toBe(true)
    expect(isDated({ ...good, nonce: 7, blockRef }, { gas: '21000' })).toBe(false)
  })
})

describe('what people see', () => {
  test('a payment, with the most it can cost in VTHO', () => {
    expect(vet.prepare(pendingOf(vet, good), own, completion).intent).toEqual({
      kind: 'transfer',
      from: [from],
      outputs: [{ to, amount: 5n, asset: 'VET', own: false }],
      fee: { amount: 21n * 10n ** 18n, asset: 'VTHO' },
    })
    const twice = vet.prepare(pendingOf(vet, { ...good, gasPriceCoef: 255 }), own, completion)
    expect(twice.intent.fee?.amount).toBe(42n * 10n ** 18n)
    expect(vet.review(pendingOf(vet, good), own).fee).toBeUndefined()
  })

  test('a token, VTHO among them', () => {
    const vtho = '0x0000000000000000000000000000456e65726779'
    const data = `0xa9059cbb${to.slice(2).padStart(64, '0')}${'9'.padStart(64, '0')}`
    const { kind, outputs } = vet.review(pendingOf(vet, { to: vtho, value: 0, data }), own)
    expect({ kind, outputs }).toEqual({
      kind: 'token-transfer',
      outputs: [{ to, amount: 9n, asset: `VET:${vtho}`, own: false }],
    })
  })

  test('an unknown call, and a new contract', () => {
    const call = vet.review(pendingOf(vet, { to, value: 1, data: '0xdeadbeef' }), own)
    expect(call).toMatchObject({ kind: 'contract-call', unread: true })
    const contract = vet.review(pendingOf(vet, { value: 1, data: '0x60' }), own)
    expect(contract).toMatchObject({ kind: 'contract-creation', unread: true })
  })

  test('a fee above 10,000 VTHO is not paid without a policy', () => {
    const dear = { ...completion, gas: '10000001' }
    expect(thrownBy(() => vet.prepare(pendingOf(vet, good), own, dear))).toMatchObject({
      code: 'policy-denied',
      message:
        'fee of 10000001000000000000000 VTHO base units is above the limit of 10000000000000000000000',
    })
  })
})

function sign(json: Json, added: Completion = {}, id?: string) {
  const pending = pendingOf(vet, json, id === undefined ? {} : { id })
  const prepared = vet.prepare(pending, own, { ...completion, ...added })
  return prepared.seal(signAll(prepared, key))
}

/** A node that has nothing to say against a payment, but where a test says otherwise. */
function nodeThat(does: Partial<HttpReads>): ChainReads {
  return {
    ...noReads,
    node(name) {
      expect(name).toBe('vet')
      return {
        get: async path => {
          expect(path).toBe('/blocks/best')
          return { number: 14_494_303, id: bestId }
        },
        post: async () => [{ gasUsed: 0, reverted: false, vmError: '' }],
        find: async () => undefined,
        ...does,
      }
    },
  }
}
