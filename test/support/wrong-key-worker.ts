/** A thread for keys on a processor that signs wrongly. */
import { knownAnswers, proveSigning } from '../../src/secret/known-answers.ts'

declare const self: Worker

proveSigning(knownAnswers.map(known => ({ ...known, signature: new Uint8Array(64) })))
self.onmessage = () => self.postMessage([])
