import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chains } from '../../src/chains/index.ts'
import { getPrivateKey } from '../../src/cli/commands/show-wallet.ts'
import { createContext } from '../../src/cli/context.ts'
import { mnemonicWallet } from '../../src/signer/wallets.ts'
import { changeVault } from '../../src/vault/vault.ts'
import { quickCost } from '../support/memory-vault.ts'
import { publicKeyHere, rejectionOf, revealedText, secretOf } from '../support/secret.ts'
import { testPassword, vaultPlace } from '../support/test-vault.ts'

const folder = mkdtempSync(join(tmpdir(), 'kms-show-'))
afterAll(() => rmSync(folder, { recursive: true }))

const withXpub = chains.filter(({ key }) => key.derivation?.kind === 'bip32')

test.each(withXpub)(
  'a $id key is printed only if it is the one of the wallet’s addresses',
  async chain => {
    const place = { ...vaultPlace(folder), path: join(folder, `${chain.id}.dat`) }
    const words = `${'abandon '.repeat(11)}about`
    const where = { chain, network: 'mainnet', publicKeyOf: publicKeyHere } as const
    const make = (text: string) => mnemonicWallet(where, secretOf(text))
    const good = await make(words)
    const other = await make(`${'zoo '.repeat(11)}wrong`)
    if (other.node === undefined) throw new Error('a mnemonic wallet has a node')
    const damaged = { ...(await make(words)), node: other.node }
    const settings = { create: true, now: 0, cost: quickCost }
    const ids = await changeVault(
      place,
      secretOf(testPassword),
      draft => [good, damaged].map(wallet => draft.add(wallet).id),
      settings,
    )
    const printed: string[] = []
    const context = createContext(new Map([['path', place.path]]))
    const answering = {
      ...context,
      place,
      password: () => secretOf(testPassword),
      terminal: {
        ...context.terminal,
        answerSecret: (text: Parameters<typeof revealedText>[0]) => {
          printed.push(revealedText(text))
        },
      },
    }
    expect(await getPrivateKey(answering, [ids[0] ?? '', '0'])).toBe(0)
    expect(printed).toHaveLength(1)
    const fault = await rejectionOf(() =>
      Promise.resolve(getPrivateKey(answering, [ids[1] ?? '', '0'])),
    )
    expect(fault.code).toBe('vault-damaged')
    expect(printed).toHaveLength(1)
  },
)
