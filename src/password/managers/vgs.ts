import { asArray, asRecord } from '../../base/json.ts'
import { type AskManager, askForRecord, passwordText, requireVariables } from './asking.ts'
import { managers } from './names.ts'

const defaultUrl = 'https://api.live.verygoodvault.com'

const { label } = managers.vgs
const check = 'check TATUM_KMS_VGS_ALIAS, TATUM_KMS_VGS_USERNAME and TATUM_KMS_VGS_PASSWORD'

/** What an alias of a VGS vault stands for, as the original asks for it. */
export const askVgs: AskManager<'vgs'> = async asking => {
  const value = requireVariables(asking, [
    'TATUM_KMS_VGS_ALIAS',
    'TATUM_KMS_VGS_USERNAME',
    'TATUM_KMS_VGS_PASSWORD',
  ])
  const base = (asking.variable('TATUM_KMS_VGS_URL') ?? defaultUrl).replace(/\/+$/, '')
  const user = `${value('TATUM_KMS_VGS_USERNAME')}:${value('TATUM_KMS_VGS_PASSWORD')}`
  const answer = await askForRecord(asking, {
    method: 'GET',
    url: `${base}/aliases/${encodeURIComponent(value('TATUM_KMS_VGS_ALIAS'))}`,
    label,
    // RFC 7617, in UTF-8.
    headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` },
    check,
  })
  const [first] = asArray(answer.get('data')) ?? []
  return passwordText(asRecord(first)?.get('value'), 'the value of the alias', check)
}
