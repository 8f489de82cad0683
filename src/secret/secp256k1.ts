import { weierstrass } from '@noble/curves/abstract/weierstrass.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesOf, numberOf } from './numbers.ts'

/** noble's field of scalars, but no scalar becomes text on its way from and to bytes. */
const scalars: typeof secp256k1.Point.Fn = Object.create(secp256k1.Point.Fn, {
  fromBytes: {
    value(bytes: Uint8Array) {
      const scalar = bytes.length === 32 ? numberOf(bytes) : undefined
      if (scalar === undefined || scalar >= secp256k1.Point.Fn.ORDER) {
        throw new Error('a scalar is 32 bytes, below the order')
      }
      return scalar
    },
  },
  toBytes: { value: bytesOf },
})

/** The GLV endomorphism of the curve (as noble has it): public constants, for speed. */
const endo = {
  beta: 0x7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501een,
  basises: [
    [0x3086d221a7d46bcde86c90e49284eb15n, -0xe4437ed6010e88286f547fa90abfe4c3n],
    [0x114ca50f7a8e2f3f657c1108d9d44cfd8n, 0x3086d221a7d46bcde86c90e49284eb15n],
  ] satisfies [[bigint, bigint], [bigint, bigint]],
}

/** Points of secp256k1, made by scalars that never were text. */
export const Point = weierstrass(secp256k1.Point.CURVE(), {
  Fp: secp256k1.Point.Fp,
  Fn: scalars,
  endo,
})
