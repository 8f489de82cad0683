/**
 * Signs a file with minisign, into `FILE.minisig` beside it. The key may have a password: it is
 * asked for at the terminal. The comment is signed, too.
 */
export function signFile(
  path: string,
  { key, comment }: { readonly key: string; readonly comment: string },
): void {
  if (Bun.which('minisign') === null) throw new Error('minisign is not installed')
  const run = Bun.spawnSync(['minisign', '-S', '-s', key, '-t', comment, '-m', path], {
    stdin: 'inherit',
    stdout: 'ignore',
    stderr: 'inherit',
  })
  if (run.exitCode !== 0) throw new Error(`minisign ended with ${run.exitCode}`)
}
