import type { ApprovalBody } from './approver.ts'

/** A request with every member there can be: docs/format.md, 4. */
export const fullBody = {
  id: '650c1f0e7d3b2a0012345678',
  chain: 'BTC',
  hashes: ['00000000-0000-4000-8000-0000000000AB', '00000000-0000-4000-8000-000000000002'],
  index: 7,
  signatures: [{ id: '00000000-0000-4000-8000-000000000003', index: 2_147_483_647 }],
  serializedTransaction: '{"é":"ü — 漢字 🙂"}',
  withdrawalId: 'withdrawal-1',
  withdrawalResponses: [
    { vIn: 'ab'.repeat(32), vInIndex: 1, address: { derivationKey: 5 }, amount: '1' },
    { vIn: '-1' },
  ],
  approval: {
    version: 1,
    vaultId: '000102030405060708090a0b0c0d0e0f',
    network: 'mainnet',
    digest: '',
    nonce: 'a5'.repeat(32),
    signedBefore: 1,
    intent: {
      kind: 'transfer',
      from: ['bc1qfrom', 'bc1qother'],
      outputs: [
        { to: 'bc1qto', amount: '123456789012345678901234567890', asset: 'BTC', own: false },
        { to: 'memo é', amount: '0', asset: 'BTC', own: true },
      ],
      expiry: 1_700_000_000_000,
      notBefore: 1_600_000_000_000,
      unread: true,
    },
    feeCeiling: { amount: '2500', asset: 'BTC' },
  },
} as const satisfies ApprovalBody
