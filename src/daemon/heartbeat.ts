import type { Notifier } from '../base/notify.ts'
import type { SignerClient } from '../signer/client.ts'
import { statusText } from '../signer/heartbeat.ts'

/**
 * Tells systemd of a front that is a service of its own: that it is ready when its loop first goes
 * round, and that it is alive as long as it does so and the signer answers.
 */
export function withHeartbeat(signer: SignerClient, notifier: Notifier): SignerClient {
  let isReady = false
  return {
    ...signer,
    async ask(question) {
      const answer = await signer.ask(question)
      if (question.type === 'progress') {
        if (!isReady) isReady = notifier.ready()
        notifier.status(statusText(question))
        notifier.alive()
      }
      return answer
    },
  }
}
