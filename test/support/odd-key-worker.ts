/** A thread for keys that, by the kind of its first task, ends or never answers. */

declare const self: Worker

type Message = { readonly tasks: readonly { readonly kind: string }[] }

self.onmessage = ({ data: { tasks } }: MessageEvent<Message>) => {
  if (tasks[0]?.kind === 'publicKey') process.exit(0)
}
