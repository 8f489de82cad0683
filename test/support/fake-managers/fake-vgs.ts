import type { Received } from './signature.ts'

export const vgs = {
  alias: 'tok_sandbox_a1B2 c3/d4',
  username: 'USfakeVgsUser',
  password: 'fäke:vgs-password-91e07b',
} as const

export function answerVgs({ path, headers }: Received, password: string): Response | undefined {
  if (!path.startsWith('/aliases/')) return undefined
  const user = Buffer.from(`${vgs.username}:${vgs.password}`).toString('base64')
  if (headers.get('authorization') !== `Basic ${user}`) return new Response('', { status: 401 })
  if (path !== `/aliases/${encodeURIComponent(vgs.alias)}`) return new Response('', { status: 404 })
  const aliases = [{ alias: vgs.alias, format: 'UUID' }]
  return Response.json({ data: [{ value: password, classifiers: [], aliases }] })
}
