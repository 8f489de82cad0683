import { gzipSync } from 'node:zlib'
import type { Fault } from './fake-faults.ts'

export type HostileAnswer = readonly [name: string, fault: Fault]

const megabyte = 1_000_000

/**
 * What a server can answer that makes no sense anywhere.
 *
 * @param trap where redirects lead: nobody may ever go there
 * @param apiKey which a server may quote
 */
export function hostileAnswers(trap: string, apiKey: string): readonly HostileAnswer[] {
  return [
    ...Object.entries(bodies).map(([name, body]) => [name, { kind: 'answer', body }] as const),
    ...redirects(trap),
    ...statuses(trap, apiKey),
    ...headers,
    ['100 MB', { kind: 'flood', bytes: 100 * megabyte }],
    [
      'a compressed bomb',
      compressed('gzip', Uint8Array.from(gzipSync(Buffer.alloc(100 * megabyte)))),
    ],
    ['what is compressed in a way of its own', compressed('zstd', Uint8Array.of(1, 2, 3))],
    ['gzip that is none', compressed('gzip', Uint8Array.of(1, 2, 3))],
    ['a connection that closes at once', { kind: 'close-before-acting' }],
    ['a connection that closes after it was done', { kind: 'close-after-acting' }],
    ['what is right, late', { kind: 'delay', ms: 300 }],
  ]
}

/** JSON of the wrong shape, and what is none. No list: an empty one is an honest answer to a poll. */
const bodies: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>> = {
  nothing: '',
  null: 'null',
  true: 'true',
  'a text': '"text"',
  'an empty object': '{}',
  'a number too large for any': '1e999',
  'a negative number': '-1',
  'no number': 'NaN',
  'half of a list': '[{"id":"0000000000',
  'half of an object': '{"result":',
  'half of a string': '"\\ud8',
  'a page': '<html><script>alert(1)</script></html>',
  'what reaches for prototypes': '{"__proto__":{"result":1},"constructor":{"prototype":{}}}',
  'members of the wrong type': '{"result":{"number":[]},"medium":{},"keys":7,"signature":null}',
  'huge values': `{"result":"0x${'f'.repeat(200_000)}","medium":1e999,"data":"${'9'.repeat(100_000)}"}`,
  'an error that is none': '{"error":{"message":{"a":1}},"errorCode":[],"statusCode":"x"}',
  'an error with commands for a terminal':
    '{"error":{"message":"\\u001b[2J\\u202e\\r\\nerror: x"}}',
  'a list of deep lists': '['.repeat(500_000),
  'an object of deep objects': '{"result":'.repeat(200_000),
  'control characters': '\0\x1b[2J\x07\x9b\r\n',
  'bytes that are no text': Uint8Array.from({ length: 4096 }, (_, i) => (i * 151) % 256),
  'a byte order mark': '\ufeff{}',
}

function redirects(trap: string): readonly HostileAnswer[] {
  return [301, 302, 303, 307, 308].map(status => [
    `a redirect (${status}) to elsewhere`,
    { kind: 'answer', status, headers: { location: `${trap}/redirected/${status}` } },
  ])
}

function statuses(trap: string, apiKey: string): readonly HostileAnswer[] {
  const quoting = JSON.stringify({
    errorCode: '\u001b]0;owned\u0007',
    message: `no plan for '${apiKey}' at ${trap}/?key=${apiKey}\n${'x'.repeat(10_000)}`,
  })
  const plain = [204, 400, 401, 403, 404, 408, 413, 418, 425, 451, 500, 502, 503, 599]
  return [
    ...plain.map(
      status => [`status ${status}`, { kind: 'answer', status, body: quoting }] as const,
    ),
    ...['0', 'soon', '-5', '1e999', 'Thu, 01 Jan 1970 00:00:00 GMT'].map(
      after =>
        [
          `status 429 until ${after}`,
          { kind: 'answer', status: 429, body: quoting, headers: { 'retry-after': after } },
        ] as const,
    ),
  ]
}

const headers: readonly HostileAnswer[] = [
  ['a header of 1 MB', { kind: 'answer', headers: { 'x-filler': 'x'.repeat(megabyte) } }],
  ['thousands of headers', { kind: 'answer', headers: manyHeaders() }],
  ['cookies', { kind: 'answer', headers: { 'set-cookie': 'session=1; Path=/' } }],
]

function manyHeaders(): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`x-${i}`, 'x']))
}

function compressed(encoding: string, body: Uint8Array<ArrayBuffer>): Fault {
  return { kind: 'answer', body, headers: { 'content-encoding': encoding } }
}
