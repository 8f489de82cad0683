import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeQR } from 'qr/decode.js'
import { runProgram } from '../support/program.ts'
import { idOf, storeWallets, testPassword } from '../support/test-vault.ts'

test('getaddress --qr draws the address beside the answer', async () => {
  const home = mkdtempSync(join(tmpdir(), 'kms-qr-'))
  try {
    writeFileSync(join(home, 'password'), `${testPassword}\n`, { mode: 0o600 })
    const mnemonic = `${'abandon '.repeat(11)}about`
    await storeWallets(home, [{ id: idOf(1), chain: 'BTC', network: 'mainnet', mnemonic }])
    const files = [`--path=${home}/wallet.dat`, `--password-file=${home}/password`]
    const run = await runProgram(['getaddress', idOf(1), '0', '--qr', ...files], { home })
    const address = 'bc1qmxrw6qdh5g3ztfcwm0et5l8mvws4eva24kmp8m'
    expect(run.status).toBe(0)
    expect(JSON.parse(run.stdout)).toEqual({ address })
    expect(readPicture(run.stderr)).toBe(address)
  } finally {
    rmSync(home, { recursive: true })
  }
})

/** Two modules to a character, dark on light or light on dark: whichever can be read. */
function readPicture(picture: string): string {
  const rows = picture.trimEnd().split('\n')
  const cells = new Map([
    [' ', [0, 0]],
    ['▀', [1, 0]],
    ['▄', [0, 1]],
    ['█', [1, 1]],
  ])
  const bits = rows.flatMap(row =>
    [0, 1].map(half => [...row].map(cell => cells.get(cell)?.[half] ?? 0)),
  )
  const scale = 4
  const width = Math.max(...bits.map(row => row.length)) * scale
  const height = bits.length * scale
  const data = new Uint8ClampedArray(width * height * 4).fill(255)
  bits.forEach((row, y) => {
    row.forEach((bit, x) => {
      if (bit === 1) return
      for (let i = 0; i < scale * scale; i++) {
        const at = ((y * scale + Math.floor(i / scale)) * width + x * scale + (i % scale)) * 4
        data.fill(0, at, at + 3)
      }
    })
  })
  return decodeQR({ width, height, data })
}
