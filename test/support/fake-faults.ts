/** What can go wrong between two hosts, to be switched on per route of the sandbox. */
export type Fault =
  /** Says this instead of acting: an error status, a wrong shape, half of a JSON text. */
  | {
      readonly kind: 'answer'
      readonly status?: number
      readonly body?: string | Uint8Array<ArrayBuffer>
      readonly headers?: Readonly<Record<string, string>>
    }
  /** Acts and answers, late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Takes the request and never answers. */
  | { readonly kind: 'hang' }
  /** A body that goes on for this many bytes. */
  | { readonly kind: 'flood'; readonly bytes: number }
  /** A body of a few bytes now and then, without end. */
  | { readonly kind: 'drip' }
  | { readonly kind: 'close-before-acting' }
  /** The worst one: it was done, and nobody heard. */
  | { readonly kind: 'close-after-acting' }

export async function actWithFault(
  fault: Fault | undefined,
  act: () => Promise<Response>,
): Promise<Response> {
  switch (fault?.kind) {
    case undefined:
      return act()
    case 'answer':
      return new Response(fault.body ?? '', {
        status: fault.status ?? 200,
        headers: { ...fault.headers },
      })
    case 'delay':
      await Bun.sleep(fault.ms)
      return act()
    case 'hang':
      return Promise.withResolvers<Response>().promise
    case 'flood':
      return new Response(flood(fault.bytes))
    case 'drip':
      return new Response(drip())
    case 'close-before-acting':
      return closedConnection()
    case 'close-after-acting':
      await act()
      return closedConnection()
  }
}

function flood(bytes: number): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(256 * 1024).fill(0x20)
  let left = bytes
  return new ReadableStream({
    pull(stream) {
      if (left <= 0) return stream.close()
      stream.enqueue(chunk.subarray(0, left))
      left -= chunk.length
    },
  })
}

function drip(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(stream) {
      await Bun.sleep(20)
      stream.enqueue(new Uint8Array([0x20]))
    },
  })
}

/** Bun.serve cannot drop a connection by itself; a body that fails half-way makes it. */
function closedConnection(): Response {
  const body = new ReadableStream({
    async pull(stream) {
      stream.enqueue(new Uint8Array([0x20]))
      await Bun.sleep(1)
      stream.error()
    },
  })
  return new Response(body)
}
