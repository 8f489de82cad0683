import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { btc } from '../../src/chains/btc.ts'
import type { Chain } from '../../src/chains/chain.ts'
import { doge } from '../../src/chains/doge.ts'
import { describeScript } from '../../src/chains/family/utxo-script.ts'
import { ltc } from '../../src/chains/ltc.ts'
import {
  own,
  pendingOf,
  pool,
  prepare,
  scriptOf,
  transactionOf,
  utxoChains,
} from '../support/utxo.ts'
import { outputScripts } from '../support/utxo-arbitraries.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

type Named = readonly [Chain, 'mainnet' | 'testnet', script: string, text: string]

/** The program of BIP-173's first examples; chain ids and prefixes as each project's Core has them. */
const program = '751e76e8199196d454941c45d1b3a323f1433bd6'
const p2pkh = `76a914${program}88ac`
const p2sh = `a914${program}87`
const p2wpkh = `0014${program}`

describe('recipients', () => {
  test.each<Named>([
    // BIP-173 and BIP-350 print these three.
    [btc, 'mainnet', p2wpkh, 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
    [btc, 'testnet', p2wpkh, 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx'],
    [
      btc,
      'mainnet',
      '512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    ],
    // The genesis block pays it.
    [
      btc,
      'mainnet',
      '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac',
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    ],
    [ltc, 'mainnet', p2pkh, 'LVuDpNCSSj6pQ7t9Pv6d6sUkLKoqDEVUnJ'],
    [ltc, 'mainnet', p2wpkh, 'ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9'],
    [ltc, 'testnet', p2pkh, 'mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r'],
    [doge, 'mainnet', p2pkh, 'DFpN6QqFfUm3gKNaxN6tNcab1FArL9cZLE'],
    [btc, 'mainnet', '6a4c0401020304', 'script 6a4c0401020304'],
    [btc, 'mainnet', '6a01050105', 'script 6a01050105'],
    [btc, 'mainnet', '6a', 'script 6a'],
    [btc, 'mainnet', '6aff', 'script 6aff'],
    [btc, 'mainnet', '51024e73', 'script 51024e73'],
    [doge, 'mainnet', '6a040badcafe', 'OP_RETURN 0badcafe'],
  ])('$0.id %s: %s is %s', (chain, network, script, text) => {
    expect(recipient(chain, network, script)).toBe(text)
  })

  test.each<readonly [Chain, 'mainnet' | 'testnet', prefix: RegExp]>([
    [btc, 'mainnet', /^3/],
    [btc, 'testnet', /^2/],
    [ltc, 'mainnet', /^M/],
    [ltc, 'testnet', /^Q/],
    [doge, 'mainnet', /^[9A]/],
    [doge, 'testnet', /^2/],
  ])('$0.id %s: a script hash has an address that starts with %s', (chain, network, prefix) => {
    expect(recipient(chain, network, p2sh)).toMatch(prefix)
  })

  function recipient(chain: Chain, network: 'mainnet' | 'testnet', script: string): string {
    const tx = transactionOf(['p2pkh'])
    tx.outputs = [{ satoshis: 90_000, script }]
    return chain.review(pendingOf(chain, tx), { ...own, network }).outputs[0]?.to ?? ''
  }
})

test.each(utxoChains)('$id says who is paid what, what is ours and what it costs', chain => {
  const tx = transactionOf(['p2pkh', 'p2pk', 'p2pkh'])
  const ours = [scriptOf('p2pk', pool[1]), scriptOf('p2pkh', pool[0])]
  const scripts = [...ours, `76a914${'11'.repeat(20)}88ac`, '6a040badcafe']
  tx.outputs = scripts.map((script, i) => ({ satoshis: 1_000 * (i + 1), script }))
  const { kind, from, outputs, fee } = prepare(chain, tx).intent
  expect(kind).toBe('transfer')
  const p2pk = `script ${scriptOf('p2pk', pool[0])}`
  expect([...from]).toEqual([expect.stringMatching(/^[1LD]/), p2pk])
  expect(outputs.map(({ amount, asset, own: isOurs }) => [amount, asset, isOurs])).toEqual([
    [1_000n, chain.id, true],
    [2_000n, chain.id, true],
    [3_000n, chain.id, false],
    [4_000n, chain.id, false],
  ])
  expect(outputs[0]?.to).toBe(`script ${scripts[0]}`)
  expect(outputs[1]?.to).toBe(from[0] ?? '')
  expect(fee).toEqual({ amount: 290_000n, asset: chain.id })
})

test('two different scripts never have the same text', () => {
  const versions = { p2pkh: 0x00, p2sh: 0x05, bech32: 'bc' }
  fc.assert(
    fc.property(outputScripts(btc), outputScripts(btc), (a, b) => {
      fc.pre(a !== b)
      expect(describeScript(a, versions)).not.toBe(describeScript(b, versions))
    }),
  )
})

test('change to the segwit forms of our keys is known as ours', () => {
  for (const chain of [btc, ltc]) {
    const tx = transactionOf(['p2wpkh'])
    tx.outputs = (['p2wpkh', 'p2sh-p2wpkh'] as const).map(form => ({
      satoshis: 1_000,
      script: scriptOf(form, pool[2]),
    }))
    expect(prepare(chain, tx).intent.outputs.map(output => output.own)).toEqual([true, true])
  }
})
