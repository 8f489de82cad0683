import type { Network } from '../../base/model.ts'
import type { CeloTx } from './celo-tx.ts'
import type { Hex } from './evm-tx.ts'

/** DESIGN 6: 100 CELO. */
export const celoFeeCap = 100n * 10n ** 18n

/**
 * How much of that a unit of what pays for gas counts as. Celo counts every fee currency in 18
 * decimals, by an adapter where need be; what one of it is worth no chain can know.
 */
export function worthOf({ feeCurrency }: Pick<CeloTx, 'feeCurrency'>, network: Network): bigint {
  return feeCurrency === undefined || money[network].includes(feeCurrency) ? 1n : 100n
}

/**
 * Fee currencies of which one is worth about a dollar or less (docs.celo.org, "Fee currency
 * contracts"). Ether and gold are on Celo's list, too, and not on this one.
 */
const money: Readonly<Record<Network, readonly Hex[]>> = {
  mainnet: [
    // The adapters of USDC, USDT and USAT.
    '0x2f25deb3848c207fc8e0c34035b3ba7fc157602b',
    '0x0e2a3e05bc9a16f5292a6170456a710cb89c6f72',
    '0x0357ee22278c922e1d36cfe6b899269b161880c4',
    // Mento: dollar (cUSD), euro (cEUR), real (cREAL), and those of AU, CA, CH, GB.
    '0x765de816845861e75a25fca122bb6898b8b1282a',
    '0xd8763cba276a3738e6de85b4b3bf5fded6d6ca73',
    '0xe8537a3d056da446677b9e9d6c5db704eaab4787',
    '0x7175504c455076f15c04a2f90a8e352281f492f9',
    '0xff4ab19391af240c311c54200a492233052b6325',
    '0xb55a79f398e759e43c95b979163f30ec87ee131d',
    '0xccf663b1ff11028f0b19058d0f7b674004a40746',
    // Mento: CO, GH, JP, KE, NG, PH, West Africa, ZA.
    '0x8a567e2ae79ca692bd748ab832081c45de4041ea',
    '0xfaea5f3404bba20d3cc2f8c4b0a888f55a3c7313',
    '0xc45ecf20f3cd864b32d9794d6f76814ae8892e20',
    '0x456a3d042c0dbd3db53d5489e98dfb038553b0d0',
    '0xe2702bd97ee33c88c8f6f92da3b733608aa76f71',
    '0x105d4a9306d2e55a71d2eb95b81553ae1dc20d7b',
    '0x73f93dcc49cb8a239e2032663e9475dd5ef29a08',
    '0x4c35853a3b4e647fd266f4de678dcc8fec410bf6',
  ],
  testnet: [
    // Alfajores: cUSD, cEUR, cREAL and the adapter of USDC.
    '0x874069fa1eb16d44d622f2e0ca25eea172369bc1',
    '0x10c892a6ec43a53e45d0b916b4b7d383b1b78c0f',
    '0xe4d517785d091d3c54818832db6094bcc2744545',
    '0x4822e58de6f5e485ef90df51c41ce01721331dc0',
    // Celo Sepolia: dollar, euro and real of Mento, and the adapters of USDC and USDT.
    '0xde9e4c3ce781b4ba68120d6261cbad65ce0ab00b',
    '0xa99dc247d6b7b2e3ab48a1fee101b83cd6acd82a',
    '0x2294298942fdc79417de9e0d740a4957e0e7783a',
    '0xbf1441ea57f43f35f713431001f35742c88071c7',
    '0xe19447b12cb0d0220b2a501d8382be2f61ccf92a',
  ],
}
