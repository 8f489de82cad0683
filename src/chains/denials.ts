/** One built-in denial (DESIGN 6): what its owner's policy may allow, and nothing else does. */
export type Denial = { readonly name: string; readonly about: string }

/** By chain; each is lifted by its name alone. */
export const liftableDenials = [
  { name: 'XRP.SetRegularKey', about: 'gives the account a second key, or takes it away' },
  { name: 'XRP.SignerListSet', about: 'lets other accounts sign for this one together' },
  { name: 'XRP.AccountDelete', about: 'deletes the account and sends what it holds elsewhere' },
  { name: 'XRP.DisableMaster', about: 'AccountSet with SetFlag 4: the own key signs nothing more' },
  {
    name: 'XRP.tfPartialPayment',
    about: 'the flag, or DeliverMin: a payment that may deliver next to nothing',
  },
  { name: 'XRP.SendMax', about: 'a payment that costs something else than it delivers' },
  {
    name: 'XRP.Paths',
    about: 'a payment that is exchanged on its way, over accounts and order books',
  },
  { name: 'XLM.setOptions', about: 'changes signers, weights, thresholds or flags of the account' },
  { name: 'XLM.accountMerge', about: 'closes the account into another one' },
  { name: 'XLM.allowTrust', about: 'lets somebody hold an asset of the account, or forbids it' },
  { name: 'XLM.manageData', about: 'writes or deletes an entry of data of the account' },
  { name: 'XLM.fee-bump', about: 'pays for a transaction that others have signed' },
  { name: 'TRON.AccountPermissionUpdate', about: 'replaces the keys of the account' },
  { name: 'ALGO.rekey', about: 'reKeyTo: another key signs for the account from then on' },
  { name: 'ALGO.close', about: 'closeRemainderTo: all that is left goes to another account' },
  { name: 'SOL.SetAuthority', about: 'hands over a mint or token account' },
  { name: 'SOL.Approve', about: 'lets somebody move tokens of a token account' },
  {
    name: 'SOL.CloseAccount',
    about: 'closes a token account; what it holds in SOL goes elsewhere',
  },
  { name: 'SOL.Assign', about: 'hands an account over to a program' },
  {
    name: 'SOL.unknown-program',
    about: 'an instruction of any other program, which may do anything',
  },
  {
    name: 'SOL.unread-instruction',
    about: 'any other instruction of the System or a token program',
  },
  { name: 'KLAY.AccountUpdate', about: 'replaces the keys of the account' },
  {
    name: 'FLOW.key-with-weight',
    about: 'type 1 with a weight: adds a key that can move what the account has',
  },
  { name: 'EGLD.ChangeOwnerAddress', about: 'hands a contract over to another owner' },
] as const satisfies readonly Denial[]

export type DenialName = (typeof liftableDenials)[number]['name']

export function isLiftable(name: unknown): name is DenialName {
  return liftableDenials.some(denial => denial.name === name)
}
