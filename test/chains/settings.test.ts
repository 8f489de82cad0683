import { describe, expect, test } from 'bun:test'
import { decodeChainSettings, defaultSettings } from '../../src/chains/settings.ts'

const whole = {
  flowScripts: 'original',
  verifyInputs: 'require',
  lifted: ['XRP.SetRegularKey', 'SOL.Approve'],
  feeCaps: { ETH: '0', XRP: '5000000', __proto__x: '9'.repeat(40) },
}

describe('the settings of chains', () => {
  test('are read as they were written', () => {
    for (const settings of [whole, defaultSettings]) {
      expect<unknown>(decodeChainSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings)
    }
  })

  test('have nothing but what is lifted and capped by name', () => {
    const read = decodeChainSettings(
      JSON.parse(
        `{"flowScripts":"cadence1","verifyInputs":"auto","lifted":[],"feeCaps":{"__proto__":"5"}}`,
      ),
    )
    expect(Object.keys(read?.feeCaps ?? {})).toEqual(['__proto__'])
    expect(({} as Readonly<Record<string, unknown>>)['XRP']).toBeUndefined()
  })

  test.each([
    ['no lifted', { lifted: undefined }],
    ['lifted that is no list', { lifted: 'XRP.SetRegularKey' }],
    ['a denial that there is not', { lifted: ['XRP.SetRegularkey'] }],
    ['a denial that is no text', { lifted: [null] }],
    ['no caps', { feeCaps: undefined }],
    ['caps in a list', { feeCaps: [] }],
    ...[7, null, '', '-1', '1.5', '1e9', '007', ' 7', '0x7', '9'.repeat(41)].map(
      cap => [`a cap of ${JSON.stringify(cap)}`, { feeCaps: { ETH: cap } }] as const,
    ),
  ])('are not taken with %s', (_, change) => {
    expect(decodeChainSettings({ ...whole, ...change })).toBeUndefined()
  })
})
