/** A call of a token contract that could be read to its last byte. */
export type TokenCall = {
  readonly kind: 'token-transfer' | 'approve' | 'nft-transfer' | 'approve-all'
  /** Whose tokens move, where the call says so; otherwise it is the sender. */
  readonly holder?: string
  /** Who gets the tokens, or the power over them. */
  readonly to: string
  readonly items: readonly { readonly amount: bigint; readonly tokenId?: bigint }[]
  /** True when it hands on bytes that mean something to the recipient only. */
  readonly unread: boolean
}

/** The arguments of a call: 32 bytes each (Solidity contract ABI). */
type Words = readonly bigint[]

/**
 * The token call `data` is, or undefined: an unknown selector, arguments missing or left over, or
 * padding that is not clean, which contracts read in different ways.
 */
export function readTokenCall(data: string): TokenCall | undefined {
  const read = readers.get(data.slice(2, 10))
  const words = data.slice(10).match(/.{64}/g) ?? []
  if (read === undefined || data.length !== 10 + 64 * words.length) return undefined
  return read(words.map(word => BigInt(`0x${word}`)))
}

const readers: ReadonlyMap<string, (words: Words) => TokenCall | undefined> = new Map([
  // ERC-20 transfer(address,uint256)
  ['a9059cbb', words => readGrant('token-transfer', words)],
  // ERC-20 approve(address,uint256); the id of one token in ERC-721
  ['095ea7b3', words => readGrant('approve', words)],
  // transferFrom(address,address,uint256): an amount in ERC-20, an id in ERC-721
  ['23b872dd', readTransferFrom],
  // ERC-721 safeTransferFrom(address,address,uint256)
  ['42842e0e', readNftTransfer],
  // ERC-721 safeTransferFrom(address,address,uint256,bytes)
  ['b88d4fde', readNftTransferWithBytes],
  // ERC-1155 safeTransferFrom(address,address,uint256,uint256,bytes)
  ['f242432a', readMultiTokenTransfer],
  // ERC-1155 safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)
  ['2eb2c2d6', readBatchTransfer],
  // ERC-721 and ERC-1155 setApprovalForAll(address,bool)
  ['a22cb465', readApprovalForAll],
])

function readGrant(kind: 'token-transfer' | 'approve', words: Words): TokenCall | undefined {
  const [to, amount, ...rest] = words
  if (!isAddress(to) || amount === undefined || rest.length > 0) return undefined
  return { kind, to: addressText(to), items: [{ amount }], unread: false }
}

function readTransferFrom([holder, ...words]: Words): TokenCall | undefined {
  const grant = readGrant('token-transfer', words)
  if (!isAddress(holder) || grant === undefined) return undefined
  return { ...grant, holder: addressText(holder) }
}

function readNftTransfer(words: Words): TokenCall | undefined {
  const [holder, to, tokenId, ...rest] = words
  if (tokenId === undefined || rest.length > 0) return undefined
  return nftTransfer(holder, to, [{ amount: 1n, tokenId }], 0n)
}

function readNftTransferWithBytes(words: Words): TokenCall | undefined {
  const [holder, to, tokenId, bytesAt, ...tail] = words
  if (tokenId === undefined || bytesAt !== 0x80n) return undefined
  return nftTransfer(holder, to, [{ amount: 1n, tokenId }], lengthOfBytes(tail))
}

function readMultiTokenTransfer(words: Words): TokenCall | undefined {
  const [holder, to, tokenId, amount, bytesAt, ...tail] = words
  if (tokenId === undefined || amount === undefined || bytesAt !== 0xa0n) return undefined
  return nftTransfer(holder, to, [{ amount, tokenId }], lengthOfBytes(tail))
}

function readBatchTransfer(words: Words): TokenCall | undefined {
  const [holder, to, idsAt, amountsAt, bytesAt, ...tail] = words
  // Two lists of one length follow each other, then the bytes: the offsets can only be these.
  const count = tail[0] ?? 0n
  const listBytes = 32n * (1n + count)
  if (idsAt !== 0xa0n || amountsAt !== idsAt + listBytes) return undefined
  if (bytesAt !== amountsAt + listBytes || count === 0n || count > tail.length) return undefined
  const n = Number(count)
  const [amountCount, ...amounts] = tail.slice(n + 1, 2 * n + 2)
  if (amountCount !== count || amounts.length !== n) return undefined
  const items = tail.slice(1, n + 1).map((tokenId, i) => ({ amount: amounts[i] ?? 0n, tokenId }))
  return nftTransfer(holder, to, items, lengthOfBytes(tail.slice(2 * n + 2)))
}

/** The amount is 1 where the power over all tokens is given, 0 where it is taken back. */
function readApprovalForAll([to, amount, ...rest]: Words): TokenCall | undefined {
  if (!isAddress(to) || rest.length > 0) return undefined
  if (amount !== 0n && amount !== 1n) return undefined
  return { kind: 'approve-all', to: addressText(to), items: [{ amount }], unread: false }
}

function nftTransfer(
  holder: bigint | undefined,
  to: bigint | undefined,
  items: TokenCall['items'],
  bytes: bigint | undefined,
): TokenCall | undefined {
  if (!isAddress(holder) || !isAddress(to) || bytes === undefined) return undefined
  return {
    kind: 'nft-transfer',
    holder: addressText(holder),
    to: addressText(to),
    items,
    unread: bytes > 0n,
  }
}

/** How many bytes the last argument has; undefined unless it ends the call, padded with zeros. */
function lengthOfBytes([length, ...content]: Words): bigint | undefined {
  if (length === undefined || BigInt(content.length) !== (length + 31n) / 32n) return undefined
  const padding = BigInt(content.length) * 32n - length
  return (content.at(-1) ?? 0n) % (1n << (8n * padding)) === 0n ? length : undefined
}

function isAddress(word: bigint | undefined): word is bigint {
  return word !== undefined && word < 2n ** 160n
}

function addressText(word: bigint): string {
  return `0x${word.toString(16).padStart(40, '0')}`
}
