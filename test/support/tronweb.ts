import { createRequire } from 'node:module'

/**
 * TronWeb's CommonJS build. Bun runs the parts of the other one as they are loaded, in any order, and
 * its generated code does not stand that.
 */
export const { TronWeb, utils }: typeof import('tronweb') = createRequire(import.meta.url)(
  'tronweb',
)
