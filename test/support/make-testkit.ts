/**
 * Writes test/vectors/vault/: small vault files, one for each way to be wrong, and manifest.json.
 * Run by hand after a change of the format: bun test/support/make-testkit.ts
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitStatus } from '../../src/cli/exit.ts'
import { decodeHeader, encodeHeader, type Header, type Slot } from '../../src/vault/header.ts'
import { addPassword, rotatePassword } from '../../src/vault/slots.ts'
import { type HandMadeWallet, handMadeVault } from './hand-made-vault.ts'
import { secretOf } from './secret.ts'
import { storeWallets, type TestWallet, testPassword, vaultPlace } from './test-vault.ts'
import { type KitCase, type KitFile, kitFolder, kitSecrets } from './testkit.ts'
import { vaultRegions } from './vault-regions.ts'

const wallets: readonly TestWallet[] = [
  {
    id: '11111111-1111-4111-8111-111111111111',
    chain: 'BTC',
    network: 'mainnet',
    mnemonic: kitSecrets.mnemonic,
  },
  {
    id: '22222222-2222-4222-8222-222222222222',
    chain: 'ETH',
    network: 'testnet',
    key: kitSecrets.key,
  },
]
const slotSettings = { cost: { log2N: 14, r: 8, p: 1 }, now: 1_700_000_000_000 }

const folder = mkdtempSync(join(tmpdir(), 'kms-testkit-'))
try {
  await writeKit()
} finally {
  rmSync(folder, { recursive: true })
}

async function writeKit(): Promise<void> {
  await storeWallets(folder, wallets.slice(0, 1))
  const older = currentFile()
  await storeWallets(folder, wallets.slice(1))
  const base = currentFile()
  const cases = [
    ...(await validCases(base)),
    kitCase('good-older-generation', 'the generation before good-one-slot', older),
    ...flippedCases(base),
    ...truncatedCases(base),
    ...headerCases(base),
    ...contentCases(base, older),
    ...handMadeCases(),
  ]
  rmSync(kitFolder, { recursive: true, force: true })
  mkdirSync(kitFolder, { recursive: true })
  for (const { bytes, file } of cases) writeFileSync(join(kitFolder, file), bytes)
  const manifest: readonly KitFile[] = cases.map(({ bytes: _, ...facts }) => facts)
  const lines = manifest.map(facts => `  ${JSON.stringify(facts)}`)
  writeFileSync(join(kitFolder, 'manifest.json'), `[\n${lines.join(',\n')}\n]\n`)
  console.log(`${cases.length} files in ${kitFolder}`)
}

/** Not a Buffer: slices of one share its memory. */
function currentFile(): Uint8Array {
  return new Uint8Array(readFileSync(vaultPlace(folder).path))
}

/** `expectedExit` is that of `export` with the password, `inspectExit` that of `inspect`. */
function kitCase(file: string, what: string, bytes: Uint8Array, code?: KitFile['expectedCode']) {
  return {
    file: `${file}.dat`,
    what,
    password: testPassword,
    inspectExit: 0,
    expectedExit: code === undefined ? 0 : exitStatus[code],
    ...(code && { expectedCode: code }),
    bytes,
  } satisfies KitCase
}

/** Refused for its header alone: no password is looked at. */
function badHeader(file: string, what: string, bytes: Uint8Array): KitCase {
  return { ...kitCase(file, what, bytes, 'vault-damaged'), inspectExit: 13 }
}

async function validCases(base: Uint8Array): Promise<readonly KitCase[]> {
  const place = vaultPlace(folder)
  using password = secretOf(testPassword)
  using second = secretOf('a second password')
  await addPassword(place, password, second, { ...slotSettings, label: 'second' })
  const twoSlots = currentFile()
  await rotatePassword(place, password, password, () => second, slotSettings)
  return [
    kitCase('good-one-slot', 'one password, two wallets', base),
    kitCase('good-two-slots', 'two passwords, opened with the first', twoSlots),
    {
      ...kitCase('good-second-slot', 'two passwords, opened with the second', twoSlots),
      password: 'a second password',
    },
    kitCase('good-rotated', 'after a new master key; its audit key is the old one', currentFile()),
    {
      ...kitCase('wrong-password', 'a good vault, another password', base, 'wrong-password'),
      password: 'not the password',
    },
  ]
}

function flippedCases(base: Uint8Array): readonly KitCase[] {
  return vaultRegions(base).map(({ name, from }) => {
    const bytes = base.slice()
    bytes[from] = (bytes[from] ?? 0) ^ 1
    const what = `one bit of its ${name} flipped`
    const file = `flipped-${name.replaceAll(' ', '-')}`
    const isBody = name === 'ciphertext' || name === 'tag'
    return isBody ? kitCase(file, what, bytes, 'vault-damaged') : badHeader(file, what, bytes)
  })
}

function truncatedCases(base: Uint8Array): readonly KitCase[] {
  return vaultRegions(base).flatMap(({ name, from, to }) => {
    const file = name.replaceAll(' ', '-')
    const cuts = [badHeader(`cut-before-${file}`, `ends before its ${name}`, base.slice(0, from))]
    if (to - from < 2) return cuts
    const middle = base.slice(0, (from + to) >> 1)
    return [...cuts, badHeader(`cut-within-${file}`, `ends within its ${name}`, middle)]
  })
}

/** Headers with a right checksum: what is wrong with them is seen by other means. */
function headerCases(base: Uint8Array): readonly KitCase[] {
  const { header, length } = decodeHeader(base)
  const [slot] = header.slots
  if (slot === undefined) throw new Error('no slot')
  const body = base.subarray(length)
  const forged = (change: Partial<Header>) =>
    Buffer.concat([encodeHeader({ ...header, ...change }), body])
  const withSlot = (change: Partial<Slot>) => forged({ slots: [{ ...slot, ...change }] })
  const costs = [
    ['cost-log2N-25', { log2N: 25, r: 8, p: 1 }],
    ['cost-log2N-13', { log2N: 13, r: 8, p: 1 }],
    ['cost-log2N-255', { log2N: 255, r: 1, p: 1 }],
    ['cost-r-65', { log2N: 14, r: 65, p: 1 }],
    ['cost-r-0', { log2N: 14, r: 0, p: 1 }],
    ['cost-p-5', { log2N: 14, r: 8, p: 5 }],
    ['cost-p-0', { log2N: 14, r: 8, p: 0 }],
    ['cost-memory', { log2N: 20, r: 9, p: 1 }],
    ['cost-largest-numbers', { log2N: 24, r: 0xffffffff, p: 0xffffffff }],
  ] as const
  const noise = new Uint8Array(255).fill(7)
  const changedSlots = [
    ['slot-id', { id: noise.slice(0, 16) }],
    ['slot-date', { createdAt: 1 }],
    ['slot-label', { label: 'another' }],
    ['slot-cost', { cost: { ...slot.cost, p: 2 } }],
    ['slot-salt', { salt: noise.slice(0, 32) }],
    ['slot-key', { wrapped: noise.slice(0, slot.wrapped.length) }],
  ] as const
  return [
    ...costs.map(([file, cost]) =>
      badHeader(
        file,
        `scrypt cost outside the limits: ${JSON.stringify(cost)}`,
        withSlot({ cost }),
      ),
    ),
    badHeader('salt-short', 'a salt of 15 bytes', withSlot({ salt: noise.slice(0, 15) })),
    badHeader('salt-none', 'no salt', withSlot({ salt: noise.slice(0, 0) })),
    badHeader('salt-long', 'a salt of 65 bytes', withSlot({ salt: noise.slice(0, 65) })),
    badHeader('label-long', 'a label of 65 bytes', withSlot({ label: 'x'.repeat(65) })),
    badHeader('slots-0', 'no password slot', forged({ slots: [] })),
    badHeader('slots-9', 'nine password slots', forged({ slots: Array(9).fill(slot) })),
    badHeader('body-length', 'a body length that is not the body’s', forged({ bodyLength: 1 })),
    badHeader('version-2', 'format version 2 under a right checksum', rehashed(base, 9, 2, length)),
    ...changedSlots.map(([part, change]) =>
      kitCase(
        `forged-${part}`,
        `another ${part.replace('-', ' ')} under a right checksum`,
        withSlot(change),
        'wrong-password',
      ),
    ),
    kitCase(
      'forged-vault-id',
      'another vault id under a right checksum',
      forged({ vaultId: noise.slice(0, 16) }),
      'wrong-password',
    ),
    kitCase(
      'forged-generation',
      'a later generation under a right checksum',
      forged({ generation: 99n }),
      'vault-damaged',
    ),
    kitCase(
      'forged-nonce',
      'another body nonce under a right checksum',
      forged({ bodyNonce: noise.slice(0, 12) }),
      'vault-damaged',
    ),
  ]
}

/** One byte of the header changed, and its checksum made right again. */
function rehashed(base: Uint8Array, at: number, value: number, length: number): Uint8Array {
  const bytes = base.slice()
  bytes[at] = value
  const digest = new Bun.CryptoHasher('sha256').update(bytes.subarray(0, length - 32)).digest()
  bytes.set(digest, length - 32)
  return bytes
}

function contentCases(base: Uint8Array, older: Uint8Array): readonly KitCase[] {
  const { header, length } = decodeHeader(base)
  const olderBody = older.subarray(decodeHeader(older).length)
  const mixed = Buffer.concat([
    encodeHeader({ ...header, bodyLength: olderBody.length }),
    olderBody,
  ])
  const original = readFileSync(join(kitFolder, '../original-wallet-files/simple.dat'))
  return [
    kitCase(
      'body-of-another-generation',
      'the body of the generation before under this header',
      mixed,
      'vault-damaged',
    ),
    badHeader('trailing-byte', 'a byte behind its end', Buffer.concat([base, Buffer.of(0)])),
    badHeader('trailing-vault', 'the same file twice', Buffer.concat([base, base])),
    badHeader('empty', 'an empty file', new Uint8Array()),
    badHeader('zeros', 'zeros of a vault’s length', new Uint8Array(base.length)),
    badHeader('header-only', 'nothing behind its header', base.slice(0, length)),
    badHeader('original', 'a wallet file of the original', original),
    badHeader('text', 'a text', Buffer.from('{"wallets":[]}\n')),
  ]
}

/** Bodies that nobody without the password can make; every seal in them is right. */
function handMadeCases(): readonly KitCase[] {
  const first: HandMadeWallet = {
    id: '11111111-1111-4111-8111-111111111111',
    chain: 'BTC',
    network: 'mainnet',
    kind: 'mnemonic',
    secret: kitSecrets.mnemonic,
  }
  const second: HandMadeWallet = {
    id: '22222222-2222-4222-8222-222222222222',
    chain: 'ETH',
    network: 'testnet',
    kind: 'key',
    secret: kitSecrets.key,
  }
  const third: HandMadeWallet = { ...second, id: '33333333-3333-4333-8333-333333333333' }
  const passwords = [testPassword]
  const made = (
    file: string,
    what: string,
    content: Omit<Parameters<typeof handMadeVault>[0], 'passwords'>,
    code?: KitFile['expectedCode'],
  ) => kitCase(file, what, handMadeVault({ passwords, ...content }), code)
  const damagedWith = (file: string, what: string, ...all: readonly HandMadeWallet[]) =>
    made(file, what, { wallets: all }, 'vault-damaged')
  return [
    made('good-hand-made', 'made after docs/format.md alone', { wallets: [first, second] }),
    made('good-unknown-field', 'a field of an unknown tag in a wallet', {
      wallets: [{ ...first, extra: [[200, Buffer.from('later')]] }],
    }),
    made('good-unknown-attribute', 'an attribute of an unknown tag', {
      wallets: [first],
      attributes: Buffer.from('c800056c61746572', 'hex'),
    }),
    made('good-unknown-chain', 'a wallet of an unknown chain', {
      wallets: [{ ...first, chain: 'LATER' }],
    }),
    made('good-no-wallets', 'no wallets', {}),
    damagedWith(
      'swapped-secrets',
      'the sealed secrets of two wallets swapped',
      { ...second, sealedFor: third },
      { ...third, sealedFor: second },
    ),
    damagedWith('changed-chain', 'another chain than was sealed', {
      ...first,
      chain: 'ETH',
      sealedFor: first,
    }),
    damagedWith('changed-network', 'another network than was sealed', {
      ...first,
      network: 'testnet',
      sealedFor: first,
    }),
    damagedWith('changed-kind', 'another kind than was sealed', {
      ...first,
      kind: 'key',
      sealedFor: first,
    }),
    damagedWith('duplicate-id', 'two wallets of one id', first, { ...second, id: first.id }),
    damagedWith('duplicate-field', 'a field twice in a wallet', {
      ...first,
      extra: [[1, Buffer.from('ETH')]],
    }),
    made(
      'trailing-in-body',
      'a byte behind the last wallet',
      { wallets: [first], tail: Buffer.of(0) },
      'vault-damaged',
    ),
    made(
      'attributes-cut-off',
      'an attribute that ends too early',
      { wallets: [first], attributes: Buffer.from('01ffff', 'hex') },
      'vault-damaged',
    ),
  ]
}
