import { join, resolve } from 'node:path'
import { commonRefusals, confineCalls } from '../base/confinement.ts'
import { realDisk, withLock } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { ensureFolder } from '../base/guarded-file.ts'
import { request } from '../base/http.ts'
import { type Json, prettyJson } from '../base/json.ts'
import { createBundle, type LeftOut } from '../bundle/create.ts'
import { decodeSigned, encodeUnsigned, type SignedBundle } from '../bundle/format.ts'
import { createPublicSigner } from '../bundle/public-keys.ts'
import { type Sent, sendBundle } from '../bundle/send.ts'
import { decodeWalletList, maxListBytes } from '../bundle/wallet-list.ts'
import { findChain } from '../chains/index.ts'
import { asTold } from '../daemon/front.ts'
import { openJournal } from '../daemon/journal-sqlite.ts'
import { loadPolicy } from '../signer/policy-source.ts'
import { createTatumApi } from '../tatum/api.ts'
import { createNode } from '../tatum/node.ts'
import { apiKey } from './api-key.ts'
import { apiUrlOf } from './api-url.ts'
import type { Context } from './context.ts'
import { statusOfMany } from './exit.ts'
import { nodesOf } from './front-config.ts'
import { impatientLockWait } from './lock-wait.ts'
import { stateFolder } from './operations.ts'
import { readPlainFile } from './plain-file.ts'
import { reachingOut } from './reaching-out.ts'
import { sharedJournal } from './shared-journal.ts'
import { chainSettingsOf, policyOf } from './signer-rules.ts'
import { version } from './version.ts'

type HandOut = (context: Context, content: string, summary: Record<string, Json>) => void

/** `bundle create`: without a vault, from what its wallets' public keys say. */
export async function createOnline(context: Context, handOut: HandOut): Promise<number> {
  const { network, now, place, terminal, text } = context
  const file = text('wallets')
  if (file === undefined) {
    throw new KmsError('usage', 'say with --wallets which file list --public was written to')
  }
  const list = decodeWalletList(readPlainFile(place.disk, file, maxListBytes))
  const settings = { network, now, chainSettings: settingsOf(context), findChain }
  const deps = { ...reachOf(context), ...settings }
  confineCalls(commonRefusals)
  const { bundle, leftOut, warnings } = await createBundle(deps, list, endless)
  for (const left of leftOut) terminal.warn(describeLeftOut(left))
  for (const { id, event, reason } of warnings) terminal.warn(`${id}: ${event}: ${reason}`)
  const payments = bundle.payments.length
  handOut(context, encodeUnsigned(bundle), {
    payments,
    leftOut: leftOut.map(({ id, chain, code, reason }) => ({ id, chain, code, reason })),
  })
  const codes = leftOut.map(({ code }) => code)
  return statusOfMany(payments, codes)
}

/** Cut off anywhere it does no harm: requests have limits of their own. */
const endless = new AbortController().signal

function describeLeftOut({ id, chain, reason }: LeftOut): string {
  if (id === null) return `${chain} could not be polled: ${reason}`
  return `${id} of ${chain} is left out: ${reason}`
}

/** A policy lifts denials and fee caps on either machine; it is judged by where the keys are. */
function settingsOf(context: Context) {
  const settings = chainSettingsOf(context)
  const { policyPath: path, policyShare: share } = policyOf(context)
  if (path === null) return settings
  const { lifted, feeCaps } = loadPolicy(context.place.disk, { path, share })
  return { ...settings, lifted, feeCaps }
}

function reachOf(context: Context) {
  const { sleep, random, isSet } = context
  const http = asTold(request, reachingOut(context))
  const common = { version, insecureHttp: isSet('insecure-http'), random, sleep, http }
  const nodes = nodesOf(context)
  return {
    api: createTatumApi({ ...common, baseUrl: apiUrlOf(context), apiKey: apiKey(context) }),
    nodes: {
      vet: createNode('vet', { ...common, baseUrl: nodes.vet }),
      flow: createNode('flow', { ...common, baseUrl: nodes.flow }),
    },
    sleep,
  }
}

/** `bundle send`: without a vault, once for each payment. */
export async function sendOnline(context: Context, content: string): Promise<number> {
  const { terminal } = context
  const bundle = decodeSigned(content)
  if (sharedJournal(context) !== null) {
    throw new KmsError('usage', 'bundle send keeps its journal in a folder', {
      hint: 'give --journal=FOLDER',
    })
  }
  const reach = reachOf(context)
  const folder = resolve(stateFolder(context))
  for (const warning of ensureFolder(realDisk, folder)) terminal.warn(warning)
  const path = join(folder, 'payments.sqlite')
  confineCalls(commonRefusals)
  const results = await withLock(realDisk, path, impatientLockWait(context), () =>
    sendFrom(context, { reach, path }, bundle),
  )
  for (const result of results) tell(context, result)
  terminal.answer(prettyJson(results.map(factsOf)))
  const codes = results.flatMap(result => (result.state === 'failed' ? [result.code] : []))
  return statusOfMany(results.length - codes.length, codes)
}

async function sendFrom(
  context: Context,
  { reach, path }: { readonly reach: ReturnType<typeof reachOf>; readonly path: string },
  bundle: SignedBundle,
): Promise<readonly Sent[]> {
  const { network, now } = context
  const { vaultId } = bundle
  const journal = await openJournal(path, { vaultId, network }, now)
  try {
    const chainSettings = chainSettingsOf(context)
    const signer = createPublicSigner(new Map(), network, findChain)
    const deps = { ...reach, journal, network, chainSettings, findChain, signer }
    return await sendBundle(deps, bundle, endless)
  } finally {
    await journal.close()
  }
}

function tell({ terminal }: Context, result: Sent): void {
  const { id } = result
  if (result.state === 'failed') {
    terminal.warn(`${id} was not delivered: ${result.reason}`)
    return
  }
  for (const { event, reason } of result.warnings) terminal.warn(`${id}: ${event}: ${reason}`)
  if (!result.completed) terminal.warn(`${id}: the withdrawal must be completed by hand`)
}

function factsOf(result: Sent): Json {
  const { id, chain, state } = result
  if (result.state === 'failed') {
    return { id, chain, state, code: result.code, reason: result.reason }
  }
  return { id, chain, state, txId: result.txId }
}
