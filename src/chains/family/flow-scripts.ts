import type { Network } from '../../base/model.ts'

/** The programs, in Cadence, of the transactions that are made here: data, byte for byte. */

/** The accounts that hold the contracts. */
export const contracts = {
  mainnet: {
    FungibleToken: '0xf233dcee88fe0abe',
    FlowToken: '0x1654653399040a61',
    FUSD: '0x3c5959b568896393',
    TatumMultiNFT: '0x354e6721564ccd2c',
  },
  testnet: {
    FungibleToken: '0x9a0766d93b6608b7',
    FlowToken: '0x7e60df042a9c0868',
    FUSD: '0xe223d8a629e49c68',
    TatumMultiNFT: '0x87fe4ebd0cddde06',
  },
} as const satisfies Record<Network, Record<string, string>>

/**
 * Pays FLOW on the network of today. Only the vault of the signer can be touched: of all that an
 * account can do, `prepare` is given the entitlement to borrow, and of the vault that to withdraw
 * (Cadence 1.0, "Access control" and "Accounts").
 */
export function transferScript(network: Network): string {
  const { FungibleToken, FlowToken } = contracts[network]
  return `import FungibleToken from ${FungibleToken}
import FlowToken from ${FlowToken}

transaction(amount: UFix64, to: Address) {
    let sentVault: @{FungibleToken.Vault}

    prepare(signer: auth(BorrowValue) &Account) {
        let vault = signer.storage.borrow<auth(FungibleToken.Withdraw) &FlowToken.Vault>(
            from: /storage/flowTokenVault
        ) ?? panic("the signer has no vault of FLOW")

        self.sentVault <- vault.withdraw(amount: amount)
    }

    execute {
        let receiver = getAccount(to).capabilities.borrow<&{FungibleToken.Receiver}>(
            /public/flowTokenReceiver
        ) ?? panic("the recipient cannot receive FLOW")

        receiver.deposit(from: <-self.sentVault)
    }
}
`
}

/**
 * Those of the original, which an owner chooses with TATUM_KMS_FLOW_SCRIPTS=original. They are from
 * before Cadence 1.0: the network of today rejects them.
 */
export const originalScripts = {
  transferFlow: network => transferOriginal(contracts[network], 'FlowToken', 'flowToken'),
  transferFusd: network => transferOriginal(contracts[network], 'FUSD', 'fusd'),
  addKey: () => `transaction(publicKey: String) {
prepare(signer: AuthAccount) {
signer.addPublicKey(publicKey.decodeHex())
}
}`,
  createAccount: network => createAccountOriginal(contracts[network]),
  transferNft: network => transferNftOriginal(contracts[network]),
} as const satisfies Record<string, (network: Network) => string>

type Contracts = (typeof contracts)[Network]

function transferOriginal(
  addresses: Contracts,
  token: 'FlowToken' | 'FUSD',
  storage: string,
): string {
  const { FungibleToken, [token]: address } = addresses
  return `import FungibleToken from ${FungibleToken}
import ${token} from ${address}

transaction(amount: UFix64, recipient: Address) {
let sentVault: @FungibleToken.Vault
prepare(signer: AuthAccount) {
  let vaultRef = signer.borrow<&${token}.Vault>(from: /storage/${storage}Vault)
    ?? panic("failed to borrow reference to sender vault")

  self.sentVault <- vaultRef.withdraw(amount: amount)
}

execute {
  let receiverRef =  getAccount(recipient)
    .getCapability(/public/${storage}Receiver)
    .borrow<&{FungibleToken.Receiver}>()
      ?? panic("failed to borrow reference to recipient vault")

  receiverRef.deposit(from: <-self.sentVault)
}
}`
}

function createAccountOriginal({ FungibleToken, FUSD, TatumMultiNFT }: Contracts): string {
  return `import FungibleToken from ${FungibleToken}
import FUSD from ${FUSD}
import TatumMultiNFT from ${TatumMultiNFT}
transaction(publicKey: String) {
  let account: AuthAccount
  prepare(signer: AuthAccount) {
    self.account = AuthAccount(payer: signer)
  }
  execute {
    self.account.addPublicKey(publicKey.decodeHex())
    if self.account.borrow<&TatumMultiNFT.Collection>(from: TatumMultiNFT.CollectionStoragePath) == nil {

          // create a new empty collection
          let collection <- TatumMultiNFT.createEmptyCollection()

          // save it to the account
          self.account.save(<-collection, to: TatumMultiNFT.CollectionStoragePath)

          // create a public capability for the collection
          self.account.link<&TatumMultiNFT.Collection>(TatumMultiNFT.CollectionPublicPath, target: TatumMultiNFT.CollectionStoragePath)
      }
    // Add FUSD vault
    self.account.save(<-FUSD.createEmptyVault(), to: /storage/fusdVault)
    self.account.link<&FUSD.Vault{FungibleToken.Receiver}>(
        /public/fusdReceiver,
        target: /storage/fusdVault
    )
    self.account.link<&FUSD.Vault{FungibleToken.Balance}>(
        /public/fusdBalance,
        target: /storage/fusdVault
    )
  }
}`
}

function transferNftOriginal({ TatumMultiNFT }: Contracts): string {
  return `import TatumMultiNFT from ${TatumMultiNFT}

transaction(recipient: Address, withdrawID: UInt64) {

// local variable for storing the minter reference
let senderCollection: &TatumMultiNFT.Collection

prepare(signer: AuthAccount) {

    // borrow a reference to the signer's NFT collection
    self.senderCollection = signer.borrow<&TatumMultiNFT.Collection>(from: TatumMultiNFT.CollectionStoragePath)
        ?? panic("Could not borrow a reference to the owner's collection")

}

execute {
    // get the recipients public account object
    let recipient = getAccount(recipient)

    // borrow a public reference to the receivers collection
    let depositRef = recipient.getCapability(TatumMultiNFT.CollectionPublicPath).borrow<&TatumMultiNFT.Collection>()!

    // withdraw the NFT from the owner's collection
    let nft <- self.senderCollection.withdraw(withdrawID: withdrawID)

    // Deposit the NFT in the recipient's collection
    depositRef.deposit(token: <-nft)
}
}`
}
