import { sha256 } from '@noble/hashes/sha2.js'
import { hex, utf8 } from '../../base/bytes.ts'
import { asRecord, asString, parseJson } from '../../base/json.ts'
import type { Intent, Network, Output } from '../../base/model.ts'
import type { Hex } from './evm-tx.ts'
import { fullWeight, readFlowKeyText } from './flow-key.ts'
import { contracts, originalScripts, transferScript } from './flow-scripts.ts'
import type { FlowTx } from './flow-tx.ts'
import { encodeValue } from './flow-value.ts'

/**
 * What a transaction does, told by the very program and arguments that are signed: a script that is
 * not one of ours does what nobody here can read.
 */
export function describeFlow({ script, args, account }: FlowTx, network: Network): Intent {
  const told = knownScripts[network].get(script)?.(args.map(readText), account)
  const nobodyPays = { from: [account], fee: { amount: 0n, asset: 'FLOW' } }
  if (told !== undefined) return { ...told, ...nobodyPays }
  const to = `script ${hex(sha256(utf8(script)))}`
  return { kind: 'custom-script', outputs: [note(to)], unread: true, ...nobodyPays }
}

type Told = Pick<Intent, 'kind' | 'outputs'>
/** From arguments as `type value`; undefined where they are not what the script takes. */
type Tell = (args: readonly string[], account: Hex) => Told | undefined

const knownScripts: Readonly<Record<Network, ReadonlyMap<string, Tell>>> = {
  mainnet: scriptsOf('mainnet'),
  testnet: scriptsOf('testnet'),
}

function scriptsOf(network: Network): ReadonlyMap<string, Tell> {
  const { FUSD, TatumMultiNFT } = contracts[network]
  return new Map<string, Tell>([
    [transferScript(network), tellTransfer('transfer', 'FLOW')],
    [originalScripts.transferFlow(network), tellTransfer('transfer', 'FLOW')],
    [
      originalScripts.transferFusd(network),
      tellTransfer('token-transfer', `FLOW:${contractId(FUSD, 'FUSD')}`),
    ],
    [
      originalScripts.transferNft(network),
      tellNft(`FLOW:${contractId(TatumMultiNFT, 'TatumMultiNFT')}`),
    ],
    [originalScripts.addKey(), tellNewKey],
    [originalScripts.createAccount(network), tellNewAccount],
  ])
}

/** As Cadence names a contract: A.<address>.<name>. */
function contractId(address: string, name: string): string {
  return `A.${address.slice(2)}.${name}`
}

function tellTransfer(kind: string, asset: string): Tell {
  return ([amount = '', recipient = '', ...rest], account) => {
    const [, whole, fraction] = /^UFix64 (\d{1,12})\.(\d{8})$/.exec(amount) ?? []
    const to = addressIn(recipient)
    if (whole === undefined || to === undefined || rest.length > 0) return undefined
    const paid = { to, amount: BigInt(`${whole}${fraction}`), asset, own: to === account }
    return { kind, outputs: [paid] }
  }
}

function tellNft(asset: string): Tell {
  return ([recipient = '', token = '', ...rest], account) => {
    const [, tokenId] = /^UInt64 (\d{1,20})$/.exec(token) ?? []
    const to = addressIn(recipient)
    if (tokenId === undefined || to === undefined || rest.length > 0) return undefined
    const sent = { to, amount: 1n, asset: `${asset}#${tokenId}`, own: to === account }
    return { kind: 'nft-transfer', outputs: [sent] }
  }
}

function tellNewKey(args: readonly string[]): Told | undefined {
  const key = keyIn(args)
  if (key === undefined) return undefined
  const { publicKey, weight } = key
  if (weight === 0) return { kind: 'add-key', outputs: [note(`public key ${publicKey}`)] }
  const told = `public key ${publicKey} of weight ${weight}`
  return { kind: 'add-key-with-weight', outputs: [note(told)] }
}

function tellNewAccount(args: readonly string[]): Told | undefined {
  const key = keyIn(args)
  if (key?.weight !== fullWeight) return undefined
  return { kind: 'create-account', outputs: [note(`public key ${key.publicKey}`)] }
}

function keyIn([argument = '', ...rest]: readonly string[]) {
  const [, text] = /^String ([0-9a-f]+)$/.exec(argument) ?? []
  return text === undefined || rest.length > 0 ? undefined : readFlowKeyText(text)
}

function addressIn(argument: string): string | undefined {
  return /^Address (0x[0-9a-f]{16})$/.exec(argument)?.[1]
}

/** `type value` of an argument in its one spelling, with text for a value; else nothing. */
function readText(argument: string): string {
  const members = asRecord(parseJson(argument))
  const type = asString(members?.get('type')) ?? ''
  const value = asString(members?.get('value')) ?? ''
  return encodeValue(type, value) === argument ? `${type} ${value}` : ''
}

/** An output that pays nothing: its recipient is a description. */
function note(to: string): Output {
  return { to, amount: 0n, asset: 'FLOW', own: false }
}
