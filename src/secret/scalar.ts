/** Order n of the secp256k1 group (SEC 2, 2.4.1), big-endian. */
export const order = Uint8Array.from(
  Buffer.from('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141', 'hex'),
)

/**
 * `sum += addend` modulo the group order, on 32 big-endian bytes: no BigInt copy of a key is made.
 * `addend` is a private key, so it is below the order.
 *
 * @returns false when `sum` is not below the order or becomes zero: then there is no key (BIP-32)
 */
export function addModOrder(sum: Uint8Array, addend: Uint8Array): boolean {
  if (Buffer.compare(sum, order) >= 0) return false
  let carry = 0
  for (let i = 31; i >= 0; i--) {
    carry += (sum[i] ?? 0) + (addend[i] ?? 0)
    sum[i] = carry & 255
    carry >>= 8
  }
  if (carry > 0 || Buffer.compare(sum, order) >= 0) subtractOrder(sum)
  return sum.some(byte => byte !== 0)
}

/** A borrow out of the first byte pays for the carry out of it. */
function subtractOrder(value: Uint8Array): void {
  let borrow = 0
  for (let i = 31; i >= 0; i--) {
    const difference = (value[i] ?? 0) - (order[i] ?? 0) - borrow
    value[i] = difference & 255
    borrow = difference < 0 ? 1 : 0
  }
}
