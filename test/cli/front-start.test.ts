import { describe, expect, test } from 'bun:test'
import { decodeFrontStart, encodeFrontStart, type FrontStart } from '../../src/cli/front-start.ts'

const service = { channelFd: 6, configFd: 7, notifyFd: 5 }
const start: FrontStart = { misses: ['files: none'], requireHardening: true, service }

describe('the start of a front', () => {
  test.each([
    start,
    { ...start, service: null },
    { ...start, service: { ...service, notifyFd: null } },
  ])('is read as it was written: %j', each =>
    expect(decodeFrontStart(encodeFrontStart(each))).toEqual(each),
  )

  test.each([
    '',
    '{',
    'null',
    '[]',
    '{"service":{}}',
    '{"service":{"channelFd":"6","configFd":7}}',
  ])('that is %j is that of one that was started by hand', text => {
    const { misses, service: found } = decodeFrontStart(text)
    expect([misses, found]).toEqual([['files: started by hand'], null])
  })
})
