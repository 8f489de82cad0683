import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'

// An approval server, written from docs/format.md, 4, and docs/operations.md: nothing of src is in it.

export type ApproverKey = {
  /** 64 hex digits, for `--approver-key`. */
  readonly publicKey: string
  sign(message: Uint8Array): string
}

export type SignedAnswer = {
  readonly key: string
  readonly verdict: 'approved' | 'denied'
  readonly expiry: number
  readonly signature: string
}

/** What the server is sent. */
export type ApprovalBody = Record<string, unknown> & {
  readonly id: string
  readonly approval: {
    readonly version: number
    readonly vaultId: string
    readonly network: string
    readonly digest: string
    readonly nonce: string
    readonly signedBefore: number
    readonly intent: {
      readonly kind: string
      readonly from: readonly string[]
      readonly outputs: readonly {
        readonly to: string
        readonly amount: string
        readonly asset: string
        readonly own: boolean
      }[]
      readonly expiry?: number
      readonly notBefore?: number
      readonly unread: boolean
    }
    readonly feeCeiling: { readonly amount: string; readonly asset: string }
  }
}

export type TestApprover = AsyncDisposable & {
  readonly url: string
  /** Public keys, in the order of the seeds. */
  readonly keys: readonly string[]
  readonly asked: ApprovalBody[]
  readonly headers: Readonly<Record<string, string>>[]
  /** Connections that were made to it. */
  connections(): number
  /** What is answered from now on; each key agrees to everything until this says otherwise. */
  onAsked(answer: (body: ApprovalBody) => Response | Promise<Response>): void
  /** An answer with a verdict of each of these keys, by their place; all of them by default. */
  verdicts(
    body: ApprovalBody,
    verdict?: 'approved' | 'denied',
    places?: readonly number[],
  ): Response
}

/** The private key of a person who approves: the same one for the same number. */
export function approverKey(seed: number): ApproverKey {
  const secret = createHash('sha256').update(`approver ${seed}`).digest()
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  const pkcs8 = Buffer.concat([prefix, secret])
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    publicKey: spki.subarray(-32).toString('hex'),
    sign: message => sign(null, message, privateKey).toString('hex'),
  }
}

export function digestOf(body: ApprovalBody): Buffer {
  const { approval } = body
  const { intent, feeCeiling } = approval
  const wallets = (body['hashes'] as string[]).map(id => id.toLowerCase())
  const signatures = (body['signatures'] ?? []) as { id: string; index: number }[]
  return sha256(
    Buffer.concat([
      text('tatum-kms approval v1'),
      text(approval.vaultId),
      text(body.id),
      text(String(body['chain'])),
      text(approval.network),
      list(wallets.map(text)),
      maybe(body['index'], number),
      list(
        signatures.map(({ id, index }) => Buffer.concat([text(id.toLowerCase()), number(index)])),
      ),
      bytes(sha256(Buffer.from(String(body['serializedTransaction']), 'utf8'))),
      bytes(sha256(maybe(body['withdrawalResponses'], inputs))),
      maybe(body['withdrawalId'], id => text(String(id))),
      number(approval.signedBefore),
      text(intent.kind),
      list(intent.from.map(text)),
      list(
        intent.outputs.map(({ to, amount, asset, own }) =>
          Buffer.concat([text(to), text(amount), text(asset), yesOrNo(own)]),
        ),
      ),
      text(feeCeiling.amount),
      text(feeCeiling.asset),
      maybe(intent.expiry, number),
      maybe(intent.notBefore, number),
      yesOrNo(intent.unread),
    ]),
  )
}

/** One person's signed verdict on what the server was sent. */
export function signVerdict(
  key: ApproverKey,
  body: ApprovalBody,
  { verdict, expiry }: { readonly verdict: 'approved' | 'denied'; readonly expiry: number },
): SignedAnswer {
  const message = verdictMessage(digestOf(body), Buffer.from(body.approval.nonce, 'hex'), {
    verdict,
    expiry,
  })
  return { key: key.publicKey, verdict, expiry, signature: key.sign(message) }
}

export function verdictMessage(
  digest: Uint8Array,
  nonce: Uint8Array,
  { verdict, expiry }: { readonly verdict: string; readonly expiry: number },
): Buffer {
  return Buffer.concat([
    text('tatum-kms verdict v1'),
    bytes(digest),
    text(verdict),
    bytes(nonce),
    number(expiry),
  ])
}

/** Starts the server on this machine, with one key for each seed. */
export function startApprover(
  seeds: readonly number[],
  now: () => number = Date.now,
): TestApprover {
  const keys = seeds.map(approverKey)
  const asked: ApprovalBody[] = []
  const headers: TestApprover['headers'] = []
  const peers = new Set<number | undefined>()
  const verdicts: TestApprover['verdicts'] = (
    body,
    verdict = 'approved',
    places = [...keys.keys()],
  ) => {
    const expiry = now() + 60_000
    const chosen = keys.filter((_, place) => places.includes(place))
    return Response.json({
      verdicts: chosen.map(key => signVerdict(key, body, { verdict, expiry })),
    })
  }
  let answer: (body: ApprovalBody) => Response | Promise<Response> = body => verdicts(body)
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request, { requestIP }) {
      peers.add(requestIP.call(server, request)?.port)
      const body = (await request.json()) as ApprovalBody
      asked.push(body)
      headers.push(Object.fromEntries(request.headers))
      // What was asked for is looked up by what the address says; a body about another id is a lie.
      if (!new URL(request.url).pathname.endsWith(`/${body.id}`)) {
        return new Response(null, { status: 400 })
      }
      return answer(body)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/approve`,
    keys: keys.map(({ publicKey }) => publicKey),
    asked,
    headers,
    connections: () => peers.size,
    onAsked(next) {
      answer = next
    },
    verdicts,
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}

function sha256(value: Uint8Array): Buffer {
  return createHash('sha256').update(value).digest()
}

function bytes(value: Uint8Array): Buffer {
  return Buffer.concat([count(value.length), value])
}

function text(value: string): Buffer {
  return bytes(Buffer.from(value, 'utf8'))
}

function number(value: unknown): Buffer {
  return text(String(value))
}

function yesOrNo(value: boolean): Buffer {
  return text(value ? '1' : '0')
}

function list(items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([count(items.length), ...items])
}

function maybe(value: unknown, encode: (value: unknown) => Buffer): Buffer {
  return list(value === undefined || value === null ? [] : [encode(value)])
}

function inputs(value: unknown): Buffer {
  type Input = { vIn: string; vInIndex?: number; address?: { derivationKey?: number } }
  const encoded = (value as Input[]).map(({ vIn, vInIndex, address }) =>
    Buffer.concat([text(vIn), maybe(vInIndex, number), maybe(address?.derivationKey, number)]),
  )
  return list(encoded)
}

function count(length: number): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(length)
  return prefix
}
