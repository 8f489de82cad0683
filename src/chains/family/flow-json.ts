import { utf8 } from '../../base/bytes.ts'
import { asArray, asInteger, asString } from '../../base/json.ts'
import type { Network } from '../../base/model.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { Own } from '../chain.ts'
import { readFlowAddress } from './flow-address.ts'
import { flowKeyText, fullWeight } from './flow-key.ts'
import { originalScripts, transferScript } from './flow-scripts.ts'
import type { FlowTx } from './flow-tx.ts'
import { encodeValue, fixedText, readArgument, readUnits } from './flow-value.ts'
import { type Members, readMembers } from './members.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'

type Program = Pick<FlowTx, 'script' | 'args'>

/** What Tatum's numbers stand for; any other comes with a script of its own (protocol 6). */
const types = {
  0: { name: 'CREATE_ACCOUNT', members: ['publicKey'] },
  1: { name: 'ADD_PK_TO_ACCOUNT', members: ['publicKey', 'weight'] },
  2: { name: 'TRANSFER', members: ['to', 'amount', 'currency'] },
  4: { name: 'MINT_NFT', members: ['to', 'url', 'contractAddress'] },
  5: { name: 'MINT_MULTIPLE_NFT', members: ['to', 'url', 'contractAddress'] },
  6: { name: 'BURN_NFT', members: ['tokenId', 'contractAddress'] },
  7: { name: 'TRANSFER_NFT', members: ['to', 'tokenId', 'contractAddress'] },
} as const

type BuiltIn = (typeof types)[keyof typeof types]['name']

/** In bytes of UTF-8; the network's own limit is far above. */
const maxProgramBytes = 100_000
const maxArguments = 1_000

/** Reads `{"type":N,"body":{…}}` as the program that is to run, and on whose behalf. */
export function decodeFlowJson(
  serialized: string,
  { network, settings }: Pick<Own, 'network' | 'settings'>,
): FlowTx {
  const json = readMembers(parseStrictJson(serialized), 'transaction', ['type', 'body'])
  const type = asInteger(json.get('type'))
  if (type === undefined || type < 0) throw malformed('type is not a whole number')
  const { name, members } = Object.hasOwn(types, type)
    ? types[type as keyof typeof types]
    : ({ name: undefined, members: ['transaction', 'args'] } as const)
  const body = readMembers(json.get('body'), 'body', ['account', 'chain', ...members])
  if ((body.get('chain') ?? 'FLOW') !== 'FLOW') throw refused('chain is not FLOW')
  const account = readFlowAddress(body.get('account'), network, 'account')
  const program =
    name === undefined ? readCustom(body, network) : readBuiltIn(name, body, network, settings)
  refuseTooLong(program)
  return { ...program, account }
}

/** The owner's own script, whatever it does. */
function readCustom(body: Members, network: Network): Program {
  const script = asString(body.get('transaction'))
  if (script === '' || !script?.isWellFormed()) {
    throw malformed('transaction is not the text of a script')
  }
  const args = asArray(body.get('args'))
  if (args === undefined) throw malformed('args is not a list')
  if (args.length > maxArguments) throw refused(`args holds more than ${maxArguments} arguments`)
  return {
    script,
    args: args.map((argument, i) => {
      const where = `argument ${i + 1}`
      const members = readMembers(argument, where, ['type', 'value', 'subType'])
      return readArgument(members, { network, where })
    }),
  }
}

function readBuiltIn(
  name: BuiltIn,
  body: Members,
  network: Network,
  settings: Own['settings'],
): Program {
  if (name === 'ADD_PK_TO_ACCOUNT') denyWeight(body, settings)
  if (settings.flowScripts === 'original') return readOriginal(name, body, network)
  if (name !== 'TRANSFER') throw retired(`the script of type ${name}`)
  if (readCurrency(body) === 'FUSD') throw retired('the script that pays FUSD')
  return { script: transferScript(network), args: transferArgs(body, network) }
}

/** Since its upgrade of September 2024 ("Crescendo") Flow runs no Cadence from before 1.0. */
function retired(what: string): Error {
  return refused(`${what} is from before Cadence 1.0: Flow rejects it since September 2024`)
}

function readOriginal(name: BuiltIn, body: Members, network: Network): Program {
  switch (name) {
    case 'TRANSFER': {
      const script = readCurrency(body) === 'FLOW' ? 'transferFlow' : 'transferFusd'
      return { script: originalScripts[script](network), args: transferArgs(body, network) }
    }
    case 'ADD_PK_TO_ACCOUNT':
      return { script: originalScripts.addKey(), args: [keyArg(body, readWeight(body))] }
    case 'CREATE_ACCOUNT':
      return { script: originalScripts.createAccount(network), args: [keyArg(body, fullWeight)] }
    case 'TRANSFER_NFT': {
      const to = encodeValue('Address', readFlowAddress(body.get('to'), network, 'to'))
      const token = new Map<string, unknown>([
        ['type', 'UInt64'],
        ['value', body.get('tokenId')],
      ])
      return {
        script: originalScripts.transferNft(network),
        args: [to, readArgument(token, { network, where: 'tokenId' })],
      }
    }
    default:
      throw refused(`this program has no script for transactions of type ${name}`)
  }
}

function readCurrency(body: Members): 'FLOW' | 'FUSD' {
  const currency = body.get('currency')
  if (currency === 'FLOW' || currency === 'FUSD') return currency
  throw malformed('currency is neither FLOW nor FUSD')
}

function transferArgs(body: Members, network: Network): readonly string[] {
  return [
    encodeValue('UFix64', fixedText(readUnits(body.get('amount'), 'amount'))),
    encodeValue('Address', readFlowAddress(body.get('to'), network, 'to')),
  ]
}

/** A key with weight can move all that the account has (DESIGN 6). */
function denyWeight(body: Members, settings: Own['settings']): void {
  const weight = body.get('weight')
  if (weight === undefined || weight === 0) return
  const reason = 'a key with weight is added to the account: it could move all that is in it'
  denyUnlessLifted(settings, 'FLOW.key-with-weight', reason)
}

function readWeight(body: Members): number {
  const weight = body.has('weight') ? asInteger(body.get('weight')) : 0
  if (weight !== undefined && weight >= 0 && weight <= fullWeight) return weight
  throw malformed(`weight is not a whole number up to ${fullWeight}`)
}

function keyArg(body: Members, weight: number): string {
  const [, key] = /^([0-9a-fA-F]{128})$/.exec(asString(body.get('publicKey')) ?? '') ?? []
  if (key === undefined) throw malformed('publicKey is not 128 hex digits')
  return encodeValue('String', flowKeyText(key.toLowerCase(), weight))
}

function refuseTooLong({ script, args }: Program): void {
  const length = [script, ...args].reduce((sum, text) => sum + utf8(text).length, 0)
  if (length <= maxProgramBytes) return
  throw refused(`script and arguments are longer than ${maxProgramBytes} bytes`)
}
