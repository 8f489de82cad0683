import { readFileSync } from 'node:fs'
import { commonRefusals, confineCalls } from '../../base/confinement.ts'
import { KmsError } from '../../base/errors.ts'
import { encodeJson } from '../../base/json.ts'
import type { Action } from '../action.ts'
import { askNetwork as askAll } from '../doctor/ask-network.ts'
import { decodeQuestions } from '../doctor/network-questions.ts'

/** `ask-network`: the process that `doctor` starts to ask over the network. */
export const askNetwork: Action = async context => {
  // Not on the command line, nor in the environment: an API key and a password are among them.
  const questions = decodeQuestions(readFileSync(0, 'utf8'))
  if (questions === undefined) {
    throw new KmsError('usage', 'ask-network is started by doctor, not by hand')
  }
  confineCalls(commonRefusals)
  context.terminal.answer(encodeJson(await askAll(questions, context)))
  return 0
}
