/** A thread for keys that, by the kind of its first task, ends or never answers. */

declare const self: Worker

self.onmessage = ({ data: [task] }: MessageEvent<readonly { readonly kind: string }[]>) => {
  if (task?.kind === 'publicKey') process.exit(0)
}
