import { generateKeyPairSync, sign } from 'node:crypto'

/** A certificate that vouches for itself, as PEM: what a private authority hands out. */
export function makeCertificate(): { readonly cert: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
  const name = sequence(
    tag(0x31, sequence(objectId(0x55, 0x04, 0x03), tag(0x0c, Buffer.from('kms test')))),
  )
  const year = (text: string): Buffer => tag(0x17, Buffer.from(`${text}0101000000Z`))
  const altNames = sequence(
    tag(0x82, Buffer.from('localhost')),
    tag(0x87, Buffer.from([127, 0, 0, 1])),
  )
  const isAuthority = sequence(tag(0x01, Buffer.from([0xff])))
  const body = sequence(
    tag(0xa0, integer(2)), // version 3
    integer(1),
    ecdsaWithSha256,
    name,
    sequence(year('20'), year('49')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(
      0xa3,
      sequence(
        sequence(objectId(0x55, 0x1d, 0x11), tag(0x04, altNames)),
        sequence(objectId(0x55, 0x1d, 0x13), tag(0x04, isAuthority)),
      ),
    ),
  )
  const signature = sign('sha256', body, privateKey)
  const whole = sequence(body, ecdsaWithSha256, tag(0x03, Buffer.from([0]), signature))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** X.690 8.1: tag, length, content. */
function tag(number: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content)
  const { length } = bytes
  return Buffer.concat([Buffer.from([number, ...lengthBytes(length)]), bytes])
}

/** DER has the shortest form only. */
function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

function sequence(...content: readonly Buffer[]): Buffer {
  return tag(0x30, ...content)
}

function objectId(...bytes: readonly number[]): Buffer {
  return tag(0x06, Buffer.from(bytes))
}

function integer(value: number): Buffer {
  return tag(0x02, Buffer.from([value]))
}
