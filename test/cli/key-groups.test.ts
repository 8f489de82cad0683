import { expect, test } from 'bun:test'
import { KmsError } from '../../src/base/errors.ts'
import { findChain } from '../../src/chains/index.ts'
import { makeKeyGroups } from '../../src/cli/key-groups.ts'
import type { PublicKeyOf } from '../../src/secret/hd.ts'
import { publicKeyOf } from '../../src/secret/sign.ts'
import type { NewWallet } from '../../src/vault/draft.ts'
import { rejectionOf } from '../support/secret.ts'

const point = publicKeyOf('secp256k1', new Uint8Array(32).fill(1))
const silent = { made: () => {}, isStopped: () => false }

/** Keys of ETH, whose public halves do not matter here. */
function placeWith(publicKeyOf: PublicKeyOf) {
  const chain = findChain('ETH')
  if (chain === undefined) throw new Error('no ETH')
  return { chain, network: 'testnet', publicKeyOf } as const
}

const place = placeWith(async () => point)
/** A wiped secret has no bytes. */
const isWiped = ({ secret }: NewWallet): boolean => secret.keyText?.length === 0

test.each([
  [1, [1]],
  [1_024, [1_024]],
  [2_500, [1_024, 1_024, 452]],
  [10_000, [1_024, ...new Array<number>(8).fill(1_122)]],
])('%d keys come in groups of %j, and are counted', async (count, sizes) => {
  const found: number[] = []
  let told = 0
  const made = (all: number): void => {
    told = all
  }
  for await (const { wallets } of makeKeyGroups(place, count, { ...silent, made })) {
    found.push((await wallets).length)
  }
  expect({ found, told }).toEqual({ found: sizes, told: count })
})

test('the keys of a group are wiped when the next one is asked for, and those of the last', async () => {
  const seen: NewWallet[] = []
  for await (const group of makeKeyGroups(place, 2_000, silent)) {
    const wallets = await group.wallets
    expect(seen.every(isWiped)).toBe(true)
    expect(wallets.some(isWiped)).toBe(false)
    seen.push(...wallets)
  }
  expect(seen).toHaveLength(2_000)
  expect(seen.every(isWiped)).toBe(true)
})

test('whoever leaves early has waited for what was under way, and left nothing behind', async () => {
  let [asked, answered] = [0, 0]
  const slow = placeWith(async () => {
    asked++
    await Bun.sleep(1)
    answered++
    return point
  })
  let left: Promise<readonly NewWallet[]> | undefined
  for await (const { wallets } of makeKeyGroups(slow, 50_000, silent)) {
    left = wallets
    break
  }
  expect(answered).toBe(asked)
  expect(asked).toBeLessThanOrEqual(4 * 512)
  expect((await left)?.every(isWiped)).toBe(true)
})

test('when it is stopped it makes what is under way and no more', async () => {
  let isStopped = false
  const progress = {
    made() {
      isStopped = true
    },
    isStopped: () => isStopped,
  }
  const groups = makeKeyGroups(place, 100_000, progress)
  const { value } = await groups.next()
  expect(await value?.wallets).toHaveLength(1_024)
  const following = await groups.next()
  expect((await following.value?.wallets)?.length).toBeLessThan(3 * 512)
  await groups.return(undefined)
})

test('a key that cannot be made is a fault of its group and ends the making', async () => {
  let asked = 0
  const faulty = placeWith(async () => {
    if (++asked === 700) throw new KmsError('unexpected', 'a key could not be used')
    return point
  })
  const fault = await rejectionOf(async () => {
    for await (const { wallets } of makeKeyGroups(faulty, 2_000, silent)) await wallets
  })
  expect(fault.message).toBe('a key could not be used')
})
