import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createCleaner } from '../../src/tatum/answers.ts'
import { readNewerVersion } from '../../src/tatum/latest-version.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const clean = createCleaner('secret-key')

describe('the version that Tatum knows', () => {
  test('is told of when it is newer', () => {
    expect(readNewerVersion('8.0.2;ERROR;Update; now', clean)).toEqual({
      version: '8.0.2',
      grade: 'ERROR',
      message: 'Update; now',
    })
    for (const version of ['8.1.0', '9.0.0', '10.0.0', '8.0.10']) {
      expect(readNewerVersion(version, clean)).toMatchObject({ version })
    }
  })

  test.each([
    '8.0.1;INFO;x',
    '8.0.0',
    '7.99.99',
    '0.0.0',
    '',
    ';',
    '8.0',
    '8.0.2-beta',
    'latest;INFO',
  ])('is not when it says %j', header => expect(readNewerVersion(header, clean)).toBeUndefined())

  test('does not bring anything into the log that does not belong there', () => {
    const header =
      '9.0.0;\u001b[2J;\u001b[31mgo to https://evil.example/x with secret-key\r\nforged'
    expect(readNewerVersion(header, clean)).toEqual({
      version: '9.0.0',
      grade: '',
      message: '[31mgo to [url] with [api key] forged',
    })
  })

  test('is short and printable, whatever is sent', () => {
    const property = fc.property(fc.string(), fc.string({ unit: 'binary' }), (grade, message) => {
      const newer = readNewerVersion(`9.0.0;${grade};${message.repeat(50)}`, clean)
      expect(newer?.grade).toMatch(/^[A-Z]{0,20}$/)
      expect(newer?.message).toMatch(/^[\x20-\x7e]{0,200}$/)
    })
    fc.assert(property, { numRuns })
  })
})
