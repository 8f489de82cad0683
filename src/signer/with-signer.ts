import { withLock } from '../base/disk.ts'
import { asKmsError, KmsError } from '../base/errors.ts'
import type { Chain } from '../chains/chain.ts'
import type { Policy } from '../guard/policy.ts'
import { openKeyRoom } from '../secret/key-room.ts'
import { startThread } from '../secret/key-thread.ts'
import { lockingFailed } from '../secret/memory.ts'
import type { Vault, VaultPlace } from '../vault/vault.ts'
import { createApprovals } from './approvals.ts'
import { refuseUnlockedMemory, type SignerDeps } from './job.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { openPolicy } from './policy.ts'
import { loadPolicy } from './policy-source.ts'
import { createSigner, type Signer } from './serve.ts'
import type { SignerSettings } from './settings.ts'
import { sharedWithMainnet } from './shared-keys.ts'

/** What it takes to open a signer's core. */
export type OpeningWorld = {
  readonly place: VaultPlace
  readonly findChain: (id: string) => Chain | undefined
  readonly now: () => number
  readonly warn: (text: string) => void
  /** Tells the owner what is no warning. */
  readonly note: (text: string) => void
  /** Opens the ledger; tests wrap it to end the process between two steps. */
  readonly openLedger?: typeof openLedger
  /** Gives up for good what is not needed once the vault is open. */
  readonly confine: () => void
}

/** What binds a signer, whoever asks it to sign. */
export type SignerRules = Pick<
  SignerSettings,
  | 'network'
  | 'chainSettings'
  | 'acceptRollback'
  | 'acceptNonces'
  | 'othersSign'
  | 'allowReplacement'
  | 'cancel'
  | 'resign'
  | 'policyPath'
  | 'policyShare'
  | 'approvers'
>

/** A signer that is open: its answers, and what they are made of. */
export type OpenSigner = {
  readonly signer: Signer
  readonly deps: SignerDeps
  readonly policy: SignerDeps['policy']
}

/** A predecessor that was told to stop ends its payments first, within 20 s. */
const maxLockWaitMs = 30_000

/** One signer per vault: a second one would not see what the first has just signed. */
export async function asOnlySigner<T>(
  { lockWaitMs }: Pick<SignerSettings, 'lockWaitMs'>,
  { disk, path }: VaultPlace,
  work: () => Promise<T>,
): Promise<T> {
  let isLocked = false
  try {
    return await withLock(disk, ledgerPath(path), Math.min(lockWaitMs, maxLockWaitMs), () => {
      isLocked = true
      return work()
    })
  } catch (fault) {
    const { code, message } = asKmsError(fault)
    if (isLocked || code !== 'vault-busy') throw fault
    throw new KmsError(code, message, {
      cause: fault,
      hint: 'another daemon signs with this vault: stop it first',
    })
  }
}

/** Beside the vault. */
function ledgerPath(vaultPath: string): string {
  return `${vaultPath}.ledger`
}

/** Opens vault, ledger and policy, does `work`, and leaves no key behind. */
export async function withSigner<T>(
  settings: SignerRules,
  world: OpeningWorld,
  open: () => Vault,
  work: (opened: OpenSigner) => Promise<T>,
): Promise<T> {
  const { place } = world
  const { network, chainSettings, acceptNonces, othersSign, allowReplacement, cancel, resign } =
    settings
  // Before anything is opened: a policy that is wrong is nothing to go on with.
  const read = () => readPolicy(settings, place)
  const written = read()
  const approvals = createApprovals(settings.approvers, world.now)
  using vault = open()
  refuseUnlockedMemory(lockingFailed())
  using ledger = (world.openLedger ?? openLedger)(ledgerPath(place.path), vault.auditKey)
  world.confine()
  checkHistory(settings, world, vault, ledger)
  if (network === 'testnet') warnOfSharedKeys(vault, world)
  // Not waited for: it is there when the first payment is.
  await using room = openKeyRoom({ first: startThread() })
  const policy = openPolicy({ ...world, ledger, network, chainSettings, resign, read }, written)
  const rules = {
    network,
    policy,
    acceptNonces,
    othersSign,
    allowReplacement,
    cancel,
    resign,
    approvals,
  }
  const deps = { ...world, vault, ledger, room, ...rules, lockingFailed }
  return await work({ signer: createSigner(deps), deps, policy })
}

function readPolicy(
  { policyPath: path, policyShare: share }: SignerRules,
  { disk }: VaultPlace,
): Policy | undefined {
  return path === null ? undefined : loadPolicy(disk, { path, share })
}

function warnOfSharedKeys(vault: Vault, { warn }: OpeningWorld): void {
  const shared = sharedWithMainnet(vault.list())
  if (shared.length === 0) return
  warn(
    `wallet ${shared[0]} has a key of a main network, too (wallets: ${shared.length}): what it signs ` +
      'here may be valid there',
  )
}

/** What the ledger does not know may be signed a second time: the owner must hear of it. */
function checkHistory(
  { acceptRollback }: SignerRules,
  { place, warn }: OpeningWorld,
  { generation }: Vault,
  ledger: Ledger,
): void {
  const seen = ledger.seenGeneration()
  const isOldVault = generation > 1n || place.disk.look(`${place.path}.bak`) !== undefined
  if (seen === undefined && isOldVault) {
    warn(
      'no ledger was found beside the vault: this daemon does not know what was signed before, ' +
        'and could sign it again',
    )
  }
  if (!acceptRollback) {
    ledger.checkGeneration(generation)
    return
  }
  if (seen !== undefined && generation < seen) {
    warn(`an older vault is accepted: generation ${generation}, although ${seen} was seen before`)
  }
  ledger.acceptGeneration(generation)
}
