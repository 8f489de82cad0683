import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { privateKeyToAccount } from 'viem/accounts'
import { startFakeTatum } from '../support/fake-tatum.ts'
import btcCases from '../vectors/sign/BTC.json' with { type: 'json' }
import ethCases from '../vectors/sign/ETH.json' with { type: 'json' }

// The sandbox judges our signatures, so that it is judged first: by what the original signed.

const mainnet = startFakeTatum({ network: 'mainnet' })
const testnet = startFakeTatum({ network: 'testnet' })
afterAll(async () => {
  await mainnet.stop()
  await testnet.stop()
})

const signed = [...btcCases, ...ethCases].flatMap(
  ({ chain, network, case: name, pending, expected }) =>
    expected.broadcast === undefined
      ? []
      : [
          {
            name: `${chain} ${network} ${name}`,
            chain,
            network,
            pending,
            broadcast: expected.broadcast,
          },
        ],
)

type Signed = (typeof signed)[number]

function fakeFor({ network }: Signed) {
  return network === 'mainnet' ? mainnet : testnet
}

function post(fake: typeof mainnet, path: string, body: unknown): Promise<Response> {
  return fetch(fake.url + path, {
    method: 'POST',
    headers: { 'x-api-key': fake.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Cases share nonces and outputs, so that each gets a sandbox of its own. */
async function inOwnSandbox<T>(
  { network, pending }: Signed,
  act: (fake: typeof mainnet) => Promise<T>,
): Promise<T> {
  await using fake = startFakeTatum({ network: network === 'mainnet' ? 'mainnet' : 'testnet' })
  fake.queue(pending)
  return await act(fake)
}

describe('what the original signed', () => {
  test.each(signed)('$name is taken', async vector => {
    await inOwnSandbox(vector, async fake => {
      const response = await post(fake, vector.broadcast.path, vector.broadcast.body)
      const [settled, ...others] = fake.state.settled.get(vector.pending.id) ?? []
      expect(others).toEqual([])
      expect(settled?.txId).toMatch(/^(0x)?[0-9a-f]{64}$/)
      expect({ status: response.status, answer: await response.json() }).toEqual({
        status: 200,
        answer: {
          txId: settled?.txId,
          ...(vector.broadcast.path.includes('offchain') && { completed: true }),
        },
      })
    })
  })

  test.each(signed)('$name with a changed digit never spends from its owner', async vector => {
    await inOwnSandbox(vector, async fake => {
      const { path, body } = vector.broadcast
      for (const at of [0.1, 0.3, 0.5, 0.7, 0.9]) {
        const position = Math.floor(body.txData.length * at)
        const digit = body.txData[position] === 'a' ? 'b' : 'a'
        const txData = body.txData.slice(0, position) + digit + body.txData.slice(position + 1)
        await post(fake, path, { ...body, txData })
      }
      // A changed Ethereum signature is a valid one of a stranger; of a Bitcoin input, of nobody.
      const strangers = (fake.state.settled.get(vector.pending.id) ?? []).flatMap(tx => tx.from)
      expect((await post(fake, path, body)).status).toBe(200)
      const owners = fake.state.settled.get(vector.pending.id)?.at(-1)?.from ?? []
      expect(owners.filter(owner => strangers.includes(owner))).toEqual([])
    })
  })
})

describe('one wallet', () => {
  const [vector] = signed.filter(({ name }) => name === 'ETH mainnet legacy-with-chainId')
  if (vector === undefined) throw new Error('the vectors changed')
  const { pending, broadcast } = vector
  const fake = fakeFor(vector)

  beforeEach(() => {
    fake.heal()
    fake.queue(pending)
  })

  const poll = async (signatureIds: readonly string[], chain = 'ETH') =>
    (await post(fake, `/v3/kms/pending/${chain}`, { signatureIds })).json()

  test('is handed its payment until that is sent, then counts its nonce', async () => {
    expect(await poll([])).toEqual([])
    expect(await poll(['00000000-0000-4000-8000-000000000000'])).toEqual([])
    expect(await poll(pending.hashes, 'BTC')).toEqual([])
    expect(await poll(pending.hashes)).toEqual([pending])
    await post(fake, broadcast.path, broadcast.body)
    expect(await poll(pending.hashes)).toEqual([])
    expect([...(fake.state.broadcasts.get(pending.id) ?? [])]).toEqual([broadcast.body.txData])
  })

  test('sent twice is paid once', async () => {
    const answers = [
      await post(fake, broadcast.path, broadcast.body),
      await post(fake, broadcast.path, broadcast.body),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(fake.state.settled.get(pending.id)).toHaveLength(1)
  })

  test('cannot pay two payments with one nonce', async () => {
    const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
    const statuses = []
    for (const value of [1n, 2n]) {
      const id = fake.queue({
        chain: 'ETH',
        hashes: pending.hashes,
        serializedTransaction: JSON.stringify({ to: account.address, value: String(value) }),
      })
      const txData = await account.signTransaction({
        chainId: 1,
        type: 'legacy',
        to: account.address,
        value,
        nonce: 0,
        gas: 21_000n,
        gasPrice: 1n,
      })
      statuses.push((await post(fake, broadcast.path, { txData, signatureId: id })).status)
    }
    expect(statuses).toEqual([200, 403])
  })

  test('an unknown id is refused', async () => {
    const response = await post(fake, broadcast.path, { ...broadcast.body, signatureId: 'nobody' })
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 403,
      body: { errorCode: 'kms.missing' },
    })
  })

  test('another API key is refused', async () => {
    const response = await fetch(`${fake.url}/v3/blockchain/fee/ETH`)
    expect(response.status).toBe(401)
  })
})

test('the approver answers as it is told and remembers what it was asked', async () => {
  await using fake = startFakeTatum()
  expect((await fetch(`${fake.approverUrl}/one`)).status).toBe(200)
  fake.onApproval((id, body) => (id === 'two' && body !== undefined ? 403 : 500))
  const asked = { method: 'POST', body: '{"id":"two"}' }
  expect((await fetch(`${fake.approverUrl}/two`, asked)).status).toBe(403)
  expect(fake.state.requests.map(({ path, body }) => ({ path, body }))).toEqual([
    { path: '/approve/one', body: undefined },
    { path: '/approve/two', body: { id: 'two' } },
  ])
})
