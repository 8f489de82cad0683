import { KmsError } from '../../base/errors.ts'
import { asInteger, asRecord, asString } from '../../base/json.ts'
import type { ChainReads, Completion, Network } from '../../base/model.ts'
import { type Bounds, readCompletionNumber } from './completion-number.ts'
import { accountOf, chainIds, type EgldFields, type EgldTx, moveGas } from './egld-tx.ts'
import { quoteReason } from './quoted-reason.ts'
import { refused } from './refusals.ts'
import { unusedNumber } from './unused-number.ts'

const base = '/v3/egld/node/{apiKey}'

/** What the network has always asked for, and ten times that: it comes from a server. */
const gasPrices: Bounds = { least: 10n ** 9n, most: 10n ** 10n }
/** The most that the network executes in one transaction. */
const maxGas = 600_000_000n
const nonces: Bounds = { least: 0n, most: BigInt(Number.MAX_SAFE_INTEGER) }
const versions: Bounds = { least: 1n, most: 2n }

const fieldNames = ['nonce', 'gasPrice', 'gasLimit', 'chainId', 'version']

/** Asks the network through the Tatum API for everything that a payment comes without. */
export async function readEgldCompletion(
  tx: EgldTx,
  network: Network,
  reads: ChainReads,
): Promise<Completion> {
  const [config, counted] = await Promise.all([
    readConfig(network, reads),
    countNonces(tx.sender, reads),
  ])
  const { gasPrice, chainId, version } = config
  const [gasLimit, nonce] = await Promise.all([
    // A node executes nothing with a number that is not its next one: it is asked with that.
    estimateGas(tx, { ...config, nonce: counted }, reads),
    unusedNumber(accountOf(tx.sender, chainId), counted, reads),
  ])
  return {
    nonce: `${nonce}`,
    gasPrice: `${gasPrice}`,
    gasLimit: `${gasLimit}`,
    chainId,
    version: `${version}`,
  }
}

/** The transaction with the fields of `completion`, which must be there and be within bounds. */
export function fillEgld(asked: EgldTx, completion: Completion, network: Network): EgldTx {
  if (Object.keys(completion).some(name => !fieldNames.includes(name))) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  const { chainId = '' } = completion
  checkChainId(chainId, network)
  const added: EgldFields = {
    nonce: readCompletionNumber(completion, 'nonce', nonces),
    gasPrice: readCompletionNumber(completion, 'gasPrice', gasPrices),
    gasLimit: readCompletionNumber(completion, 'gasLimit', { least: moveGas(asked), most: maxGas }),
    chainId,
    version: Number(readCompletionNumber(completion, 'version', versions)),
  }
  return { ...asked, added }
}

async function readConfig(
  network: Network,
  reads: ChainReads,
): Promise<Pick<EgldFields, 'gasPrice' | 'chainId' | 'version'>> {
  const config = asRecord(dataOf(await reads.get(`${base}/network/config`))?.get('config'))
  const gasPrice = asInteger(config?.get('erd_min_gas_price'))
  const version = asInteger(config?.get('erd_min_transaction_version'))
  const chainId = asString(config?.get('erd_chain_id'))
  if (gasPrice === undefined || version === undefined || chainId === undefined) {
    throw wrongShape('the configuration')
  }
  checkChainId(chainId, network)
  return { gasPrice: BigInt(gasPrice), chainId, version }
}

/** How many transactions of `sender` are in blocks. */
export async function countNonces(sender: string, reads: ChainReads): Promise<bigint> {
  const answer = await reads.get(`${base}/address/${sender}/nonce`)
  const nonce = asInteger(dataOf(answer)?.get('nonce'))
  if (nonce === undefined || nonce < 0) throw wrongShape('the nonce')
  return BigInt(nonce)
}

async function estimateGas(
  { value, receiver, sender, data }: EgldTx,
  { nonce, gasPrice, chainId, version }: Omit<EgldFields, 'gasLimit'>,
  reads: ChainReads,
): Promise<number> {
  const body = {
    nonce: Number(nonce),
    value: `${value}`,
    receiver,
    sender,
    gasPrice: Number(gasPrice),
    gasLimit: 0,
    ...(data !== '' && { data: Buffer.from(data).toString('base64') }),
    chainID: chainId,
    version,
  }
  const cost = dataOf(await reads.post(`${base}/transaction/cost`, body))
  const gas = asInteger(cost?.get('txGasUnits'))
  if (gas !== undefined && gas > 0) return gas
  const reason = asString(cost?.get('returnMessage')) ?? ''
  if (reason === '') throw wrongShape('the cost')
  throw refused(`the network says that the payment would fail: ${quoteReason(reason)}`)
}

function dataOf(answer: unknown): ReadonlyMap<string, unknown> | undefined {
  return asRecord(asRecord(answer)?.get('data'))
}

function checkChainId(chainId: string, network: Network): void {
  if (chainIds[network].includes(chainId)) return
  const named = /^\w{1,8}$/.test(chainId) ? ` ${chainId}` : ''
  throw refused(`the network has the chain id${named}, which is not one of ${network}`)
}

function wrongShape(what: string): KmsError {
  return new KmsError('network', `the MultiversX node answered ${what} in the wrong shape`)
}
