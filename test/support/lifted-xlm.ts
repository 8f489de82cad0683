import { expect } from 'bun:test'
import {
  AuthRevocableFlag,
  Keypair,
  Networks,
  Operation,
  StrKey,
  TransactionBuilder,
  type xdr,
} from '@stellar/stellar-base'
import type { Output, Signed } from '../../src/base/model.ts'
import { xlm } from '../../src/chains/xlm.ts'
import { pendingOf } from './evm.ts'
import { type LiftedPayment, note } from './lifted-payments.ts'
import { build, issuer, key, ownOf, pay, somebody, source } from './xlm.ts'

const everything = 2n ** 63n - 1n
const toSomebody = { to: somebody, amount: 50_000_000n, asset: 'XLM', own: false }
const hash = 'ab'.repeat(32)

export const liftedOnXlm: readonly LiftedPayment[] = [
  lifted(
    'setOptions',
    'all of them',
    Operation.setOptions({
      inflationDest: issuer,
      clearFlags: AuthRevocableFlag,
      setFlags: 1,
      masterWeight: 0,
      lowThreshold: 1,
      medThreshold: 2,
      highThreshold: 3,
      homeDomain: 'a b.example',
      signer: { ed25519PublicKey: somebody, weight: 5 },
    }),
    [
      'transfer+set-options',
      note(
        `options masterWeight=0 lowThreshold=1 medThreshold=2 highThreshold=3 setFlags=1 clearFlags=2 signer=${somebody}:5 inflationDest=${issuer} homeDomain=a%20b.example`,
        'XLM',
      ),
    ],
  ),
  lifted(
    'setOptions',
    'a hash as signer',
    Operation.setOptions({ signer: { sha256Hash: hash, weight: 1 } }),
    [
      'transfer+set-options',
      note(`options signer=${StrKey.encodeSha256Hash(Buffer.from(hash, 'hex'))}:1`, 'XLM'),
    ],
  ),
  lifted('accountMerge', 'into somebody', Operation.accountMerge({ destination: somebody }), [
    'transfer+account-merge',
    { to: somebody, amount: everything, asset: 'XLM', own: false },
  ]),
  ...([0, 1, 2] as const).map(authorize =>
    lifted(
      'allowTrust',
      `authorize ${authorize}`,
      Operation.allowTrust({ trustor: somebody, assetCode: 'USDC', authorize }),
      [
        `transfer+${['disallow-trust', 'allow-trust', 'allow-trust-to-keep'][authorize]}`,
        { to: somebody, amount: 0n, asset: `XLM:USDC.${source}`, own: false },
      ],
    ),
  ),
  lifted('manageData', 'an entry', Operation.manageData({ name: 'a b', value: 'x=1' }), [
    'transfer+manage-data',
    note('data a%20b=x%3D1', 'XLM'),
  ]),
  lifted('manageData', 'no entry', Operation.manageData({ name: 'x', value: null }), [
    'transfer+manage-data',
    note('no data x', 'XLM'),
  ]),
  bumped(),
]

function lifted(
  name: string,
  about: string,
  operation: xdr.Operation,
  [kind, told]: readonly [kind: string, told: Output],
): LiftedPayment {
  const tx = build({ operations: [pay, operation] })
  return {
    ...common(name, about, tx.toXDR()),
    intent: { kind, from: [source], outputs: [toSomebody, told] },
    check: signed => {
      const theirs = build({ operations: [pay, operation] })
      theirs.sign(key)
      expectSame(signed, theirs)
    },
  }
}

/** Of what somebody else has signed. */
function bumped(): LiftedPayment {
  const other = Keypair.fromRawEd25519Seed(Buffer.alloc(32, 9))
  const inner = build({ source: other.publicKey() })
  inner.sign(other)
  const bump = () => TransactionBuilder.buildFeeBumpTransaction(key, '400', inner, Networks.PUBLIC)
  return {
    ...common('fee-bump', 'of a payment of somebody', bump().toXDR()),
    intent: { kind: 'fee-bump', from: [source, other.publicKey()], outputs: [toSomebody] },
    check: signed => {
      const theirs = bump()
      theirs.sign(key)
      expectSame(signed, theirs)
    },
  }
}

function common(name: string, about: string, envelope: string) {
  return {
    name: `XLM.${name}`,
    about,
    chain: xlm,
    pending: pendingOf(xlm, envelope),
    own: ownOf(),
    key: Uint8Array.from(key.rawSecretKey()),
  }
}

function expectSame(ours: Signed, theirs: { toXDR(): string; hash(): Buffer }): void {
  expect(ours).toEqual({ txData: theirs.toXDR(), txId: theirs.hash().toString('hex') })
}
