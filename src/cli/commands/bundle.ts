import { encodeQR } from 'qr'
import { utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { asRecord, asString, prettyJson } from '../../base/json.ts'
import { writeStateFile } from '../../base/state-file.ts'
import { decodeSigned, decodeUnsigned, kindOf, maxBundleBytes } from '../../bundle/format.ts'
import { joinFrames, splitIntoFrames } from '../../bundle/frames.ts'
import { pendingId } from '../../tatum/pending.ts'
import type { Action } from '../action.ts'
import { createOnline, sendOnline } from '../bundle-online.ts'
import { signOffline } from '../bundle-signing.ts'
import type { Context } from '../context.ts'
import { printable } from '../intent-text.ts'
import { readPlainFile } from '../plain-file.ts'
import { readStdin } from '../read-stdin.ts'
import { table } from '../table.ts'

/** `bundle create|show|join|sign|send` */
export const bundle: Action = async (context, [action, file]) => {
  switch (action) {
    case 'create':
      refuseFile(file)
      return createOnline(context, handOut)
    case 'show':
      return show(context, readBundle(context, file))
    case 'join':
      refuseFile(file)
      return join(context)
    case 'sign':
      return signOffline(context, readBundle(context, file), handOut)
    case 'send':
      return sendOnline(context, readBundle(context, file))
    default:
      throw new KmsError('usage', 'bundle takes create, show, join, sign or send')
  }
}

function readBundle({ place: { disk } }: Context, file: string | undefined): string {
  if (file !== undefined) return readPlainFile(disk, file, maxBundleBytes)
  throw new KmsError('usage', 'say which file the bundle is in')
}

function refuseFile(file: string | undefined): void {
  if (file === undefined) return
  throw new KmsError('usage', 'bundle create and join take no file', {
    hint: '--out says where the bundle goes',
  })
}

/** The bundle is the answer, unless it goes to a file: then the answer says what is in it. */
function handOut({ terminal, text }: Context, content: string, summary: object): void {
  const out = text('out')
  if (out === undefined) {
    terminal.answer(content)
    return
  }
  writeStateFile(out, `${content}\n`, 0o600)
  terminal.answer(prettyJson({ bundle: out, ...summary }))
}

/** What a bundle says of itself: what its payments do is seen by who has their keys. */
function show({ terminal, isSet }: Context, content: string): number {
  const rows = rowsOf(content)
  if (isSet('qr')) {
    const frames = splitIntoFrames(utf8(content))
    for (const [at, frame] of frames.entries()) {
      terminal.draw(encodeQR(frame, 'ascii', { ecc: 'low' }))
      terminal.note(`frame ${at + 1} of ${frames.length}`)
    }
    terminal.answer(frames.join('\n'))
    return 0
  }
  terminal.answer(table(['id', 'chain', 'transaction'], rows))
  return 0
}

function rowsOf(content: string): readonly (readonly string[])[] {
  if (kindOf(content) === 'signed') {
    return decodeSigned(content).payments.map(({ id, chain, txId }) => [id, chain, txId])
  }
  return decodeUnsigned(content).payments.map(({ pending }) => {
    const chain = asString(asRecord(pending)?.get('chain')) ?? ''
    return [pendingId(pending) ?? '', printable(chain), '']
  })
}

/** Longer than the frames of any bundle. */
const maxScannedBytes = 4 * maxBundleBytes

function join(context: Context): number {
  const lines = readStdin(maxScannedBytes).split('\n')
  const content = Buffer.from(joinFrames(lines)).toString('utf8').trimEnd()
  const payments = rowsOf(content).length
  handOut(context, content, { payments })
  return 0
}
