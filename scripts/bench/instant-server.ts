/**
 * A Tatum API that answers at once and checks nothing, in a process of its own:
 * `instant-server.ts QUEUE.json APPROVAL_MS`. Says its port on stdout; `GET /stats` says what it saw.
 */
import { readFileSync } from 'node:fs'

type Entry = { readonly id: string }

const [queueFile = '', approvalMs = '0'] = process.argv.slice(2)
const queue: Readonly<Record<string, readonly Entry[]>> = JSON.parse(
  readFileSync(queueFile, 'utf8'),
)
const waiting = new Map(
  Object.entries(queue).map(([chain, entries]) => [
    chain,
    new Map(entries.map(entry => [entry.id, JSON.stringify(entry)])),
  ]),
)
const stats = { polls: 0, broadcasts: 0, firstPoll: 0, lastBroadcast: 0 }

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  routes: {
    '/stats': () => Response.json(stats),
    '/approve/:id': async () => {
      await Bun.sleep(Number(approvalMs))
      return new Response()
    },
    '/v3/kms/pending/:chain': request => {
      stats.polls++
      stats.firstPoll ||= now()
      return new Response(`[${[...(waiting.get(request.params.chain)?.values() ?? [])].join(',')}]`)
    },
    '/v3/:chain/broadcast': takeBroadcast,
    '/v3/tatum/kms/batch': () => Response.json({}),
    '/v3/blockchain/node/:chain/:key': answerNode,
    '/v3/:chain/web3/:key': answerNode,
  },
})
console.log(server.port)

async function takeBroadcast(request: Request): Promise<Response> {
  const { signatureId } = (await request.json()) as { readonly signatureId: string }
  for (const entries of waiting.values()) {
    if (entries.delete(signatureId)) stats.broadcasts++
  }
  stats.lastBroadcast = now()
  return Response.json({ txId: signatureId })
}

/** JSON-RPC; a transaction is confirmed as soon as it is asked about. */
async function answerNode(request: Request): Promise<Response> {
  const { id, method } = (await request.json()) as { readonly id: number; readonly method: string }
  return Response.json({ jsonrpc: '2.0', id, result: results[method] ?? null })
}

const results: Readonly<Record<string, unknown>> = {
  getLatestBlockhash: {
    context: { slot: 1 },
    value: {
      blockhash: 'EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N',
      lastValidBlockHeight: 1_000,
    },
  },
  sendTransaction: 'sent',
  getTransaction: { slot: 1, meta: { err: null } },
  eth_getTransactionCount: '0x0',
  eth_gasPrice: '0x3b9aca00',
  eth_estimateGas: '0x5208',
}

function now(): number {
  return performance.timeOrigin + performance.now()
}
