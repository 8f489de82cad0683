import { join } from 'node:path'
import type { ErrorCode } from '../../src/base/errors.ts'
import { KmsError } from '../../src/base/errors.ts'
import type { Network } from '../../src/base/model.ts'
import type { Chain, ChainSettings } from '../../src/chains/chain.ts'
import { findChain as findRegistered } from '../../src/chains/index.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import type { Policy } from '../../src/guard/policy.ts'
import { type ApprovalRules, noApprovers } from '../../src/guard/signed-verdicts.ts'
import { type KeyRoom, openKeyRoom } from '../../src/secret/key-room.ts'
import { createApprovals } from '../../src/signer/approvals.ts'
import type { SignerClient } from '../../src/signer/client.ts'
import { type Ledger, openLedger } from '../../src/signer/ledger.ts'
import { encodeQuestion } from '../../src/signer/messages.ts'
import { openPolicy, type SignerPolicy } from '../../src/signer/policy.ts'
import { answerTo, createSigner } from '../../src/signer/serve.ts'
import type { Vault } from '../../src/vault/vault.ts'
import { openTestVault } from './test-vault.ts'

/** The signer's whole core on a real vault and ledger, without the second process. */
export type InProcessSigner = Disposable &
  Pick<SignerClient, 'ask'> & {
    readonly vault: Vault
    readonly ledger: Ledger
    readonly policy: SignerPolicy
    /** Answers a message off the pipe, whatever it is. */
    answer(body: unknown): Promise<unknown>
  }

export function startSigner(
  folder: string,
  {
    network = 'mainnet',
    chainSettings = defaultSettings,
    wrapLedger = ledger => ledger,
    wrapVault = vault => vault,
    wrapRoom = room => room,
    wrapChain = chain => chain,
    lockingFailed = () => undefined,
    acceptNonces = [],
    allowReplacement = false,
    cancel = null,
    resign = null,
    approvers = noApprovers,
    now = () => 1_700_000_000_000,
    policy,
    warn = () => {},
  }: {
    readonly network?: Network
    readonly chainSettings?: ChainSettings
    readonly wrapLedger?: (ledger: Ledger) => Ledger
    readonly wrapVault?: (vault: Vault) => Vault
    readonly wrapRoom?: (room: KeyRoom) => KeyRoom
    readonly wrapChain?: (chain: Chain) => Chain
    readonly lockingFailed?: () => string | undefined
    readonly acceptNonces?: readonly string[]
    readonly allowReplacement?: boolean
    readonly cancel?: string | null
    readonly resign?: string | null
    readonly approvers?: ApprovalRules
    readonly now?: () => number
    /** What is read as the owner's policy. */
    readonly policy?: () => Policy
    readonly warn?: (text: string) => void
  } = {},
): InProcessSigner {
  const vault = wrapVault(openTestVault(folder))
  const ledger = wrapLedger(openLedger(join(folder, 'wallet.dat.ledger'), vault.auditKey))
  const room = wrapRoom(openKeyRoom())
  const approvals = createApprovals(approvers, now)
  const findChain = (id: string): Chain | undefined => {
    const chain = findRegistered(id)
    return chain && wrapChain(chain)
  }
  const facts = {
    vault,
    ledger,
    room,
    network,
    chainSettings,
    acceptNonces,
    allowReplacement,
    cancel,
    resign,
    approvals,
  }
  const read = () => policy?.()
  const ruled = openPolicy({ ...facts, now, warn, note: () => {}, read }, read())
  const core = createSigner({
    ...facts,
    policy: ruled,
    findChain,
    now,
    lockingFailed,
  })
  const answer = async (body: unknown): Promise<unknown> =>
    throughPipe(await answerTo(throughPipe(body), core))
  return {
    vault,
    ledger,
    policy: ruled,
    answer,
    async ask(question) {
      const { ok, fault } = (await answer(encodeQuestion(question))) as Answered
      if (fault !== undefined) throw new KmsError(fault.code, fault.message)
      return ok as never
    },
    [Symbol.dispose]() {
      void room[Symbol.asyncDispose]()
      ledger[Symbol.dispose]()
      vault[Symbol.dispose]()
    },
  }
}

type Answered = {
  readonly ok?: unknown
  readonly fault?: { readonly code: ErrorCode; readonly message: string }
}

/** What is left of a value after a frame. */
function throughPipe(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
