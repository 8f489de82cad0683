/** Programs and accounts of Solana that are the same on every network. */

export const programs = {
  system: '11111111111111111111111111111111',
  token: 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA',
  associatedToken: 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL',
  computeBudget: 'ComputeBudget111111111111111111111111111111',
  memo: 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr',
  firstMemo: 'Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwPDxFMNo',
} as const

/** The account that holds what memory costs. */
export const rentSysvar = 'SysvarRent111111111111111111111111111111111'
