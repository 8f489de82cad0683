import { expect } from 'bun:test'
import {
  Keypair,
  PublicKey,
  SystemProgram,
  Transaction,
  TransactionInstruction,
} from '@solana/web3.js'
import type { Output } from '../../src/base/model.ts'
import { sol } from '../../src/chains/sol.ts'
import { type LiftedPayment, mostOf64Bits, note } from './lifted-payments.ts'
import {
  alice,
  blockhash,
  completion,
  mint,
  ownOf,
  paymentOf,
  shop,
  stray,
  u64,
} from './sol-payments.ts'
import { associatedAccount, ofBase58, tokenProgram } from './solana.ts'

const payer = Keypair.fromSecretKey(alice.pair)
const account = associatedAccount(alice.address, mint)
const other = associatedAccount(shop, mint)
const contents = `SOL:token account ${other}`

export const liftedOnSol: readonly LiftedPayment[] = [
  lifted(
    'Assign',
    'to a program',
    SystemProgram.assign({ accountPubkey: payer.publicKey, programId: new PublicKey(stray) }),
    ['assign', [paid(stray, mostOf64Bits, 'SOL'), note(`all of account ${alice.address}`, 'SOL')]],
  ),
  lifted('Approve', 'of a number of tokens', ofToken(4, [other, shop], u64(5n)), [
    'approve',
    [paid(shop, 5n, contents)],
    [alice.address, other],
  ]),
  lifted(
    'Approve',
    'that is checked, of a known account',
    ofToken(13, [account, mint, shop], Buffer.of(...u64(5n), 6)),
    ['approve', [paid(shop, 5n, `SOL:${mint}`)]],
  ),
  lifted('SetAuthority', 'over a mint', ofToken(6, [mint], Buffer.of(0, 1, ...ofBase58(shop))), [
    'set-authority',
    [note(`MintTokens of ${mint} is ${shop}`, 'SOL')],
    [alice.address, mint],
  ]),
  lifted('SetAuthority', 'to nobody', ofToken(6, [mint], Buffer.of(1, 0)), [
    'set-authority',
    [note(`FreezeAccount of ${mint} is nobody`, 'SOL')],
    [alice.address, mint],
  ]),
  lifted(
    'SetAuthority',
    'over a token account',
    ofToken(6, [other], Buffer.of(2, 1, ...ofBase58(shop))),
    [
      'set-authority',
      [paid(shop, mostOf64Bits, contents), note(`AccountOwner of ${other} is ${shop}`, 'SOL')],
      [alice.address, other],
    ],
  ),
  lifted('CloseAccount', 'to somebody', ofToken(9, [other, shop]), [
    'close-account',
    [paid(shop, mostOf64Bits, 'SOL'), note(`all that ${other} holds`, 'SOL')],
    [alice.address, other],
  ]),
  lifted('CloseAccount', 'to its own wallet', ofToken(9, [other, alice.address]), [
    'close-account',
    [
      { ...paid(alice.address, mostOf64Bits, 'SOL'), own: true },
      note(`all that ${other} holds`, 'SOL'),
    ],
    [alice.address, other],
  ]),
  {
    ...lifted('unknown-program', 'that nobody knows', call(stray, [shop], Buffer.of(1, 2)), [
      'program-call',
      [paid(stray, 0n, 'SOL')],
    ]),
  },
  lifted('unread-instruction', 'Burn', ofToken(8, [account, mint], u64(5n)), [
    'program-call',
    [paid(tokenProgram, 0n, 'SOL'), note('instruction Burn', 'SOL')],
  ]),
  lifted('unread-instruction', 'that the Token program does not have', ofToken(99, [account]), [
    'program-call',
    [paid(tokenProgram, 0n, 'SOL'), note('instruction 99', 'SOL')],
  ]),
  lifted(
    'unread-instruction',
    'CreateAccount for another program',
    SystemProgram.createAccountWithSeed({
      fromPubkey: payer.publicKey,
      basePubkey: payer.publicKey,
      newAccountPubkey: new PublicKey(shop),
      seed: 'x',
      lamports: 5,
      space: 8,
      programId: new PublicKey(stray),
    }),
    [
      'program-call',
      [
        paid(SystemProgram.programId.toBase58(), 0n, 'SOL'),
        note('instruction CreateAccountWithSeed', 'SOL'),
      ],
    ],
  ),
]

/** The wallet signs as the last account. */
function ofToken(tag: number, accounts: readonly string[], data: Buffer = Buffer.of()) {
  return call(tokenProgram, accounts, Buffer.of(tag, ...data))
}

function call(program: string, accounts: readonly string[], data: Buffer): TransactionInstruction {
  return new TransactionInstruction({
    programId: new PublicKey(program),
    keys: [
      ...accounts.map(address => ({
        pubkey: new PublicKey(address),
        isSigner: address === alice.address,
        isWritable: true,
      })),
      { pubkey: payer.publicKey, isSigner: true, isWritable: true },
    ],
    data,
  })
}

function lifted(
  name: string,
  about: string,
  instruction: TransactionInstruction,
  [kind, outputs, from = [alice.address]]: readonly [
    kind: string,
    outputs: readonly Output[],
    from?: readonly string[],
  ],
): LiftedPayment {
  const compile = () =>
    new Transaction({ feePayer: payer.publicKey, recentBlockhash: blockhash }).add(instruction)
  return {
    name: `SOL.${name}`,
    about,
    chain: sol,
    pending: paymentOf(compile().serializeMessage()),
    own: ownOf(alice),
    completion,
    key: Uint8Array.from(alice.pair.subarray(0, 32)),
    intent: { kind, from, outputs, ...(kind === 'program-call' && { unread: true }) },
    check({ txData }) {
      const wire = Buffer.from(txData.split('@')[0] ?? '', 'base64')
      expect(Transaction.from(wire).verifySignatures()).toBe(true)
      const theirs = compile()
      theirs.sign(payer)
      expect(wire.toString('hex')).toBe(theirs.serialize().toString('hex'))
    },
  }
}

function paid(to: string, amount: bigint, asset: string): Output {
  return { to, amount, asset, own: false }
}
