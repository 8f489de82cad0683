/** A thread for keys on a processor that signs wrongly. */
import { knownAnswers, rehearseSigning } from '../../src/secret/rehearsal.ts'

declare const self: Worker

rehearseSigning(knownAnswers.map(known => ({ ...known, signature: new Uint8Array(64) })))
self.onmessage = () => self.postMessage([])
