import { X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { realDisk } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { readConfigFile } from '../base/guarded-file.ts'
import type { FrontConfig } from '../daemon/config.ts'

/** How servers are reached and known: by these two options only, whatever the environment says. */
export function reachingOut({
  text,
}: {
  text(option: string): string | undefined
}): Pick<FrontConfig, 'authorities' | 'proxy'> {
  const file = text('ca-file')
  const proxy = text('proxy')
  return {
    authorities: file === undefined ? null : readAuthorities(resolve(file)),
    proxy: proxy === undefined ? null : proxyAddress(proxy),
  }
}

const maxBytes = 1024 * 1024

export function readAuthorities(path: string): string {
  const bytes = readConfigFile(realDisk, path, maxBytes)
  if (bytes === undefined) throw new KmsError('usage', `there is no file at ${path}`)
  const pem = Buffer.from(bytes).toString('latin1')
  try {
    // The first one must be readable: TLS would only say that nobody can be reached.
    new X509Certificate(pem)
    return pem
  } catch {
    throw new KmsError('usage', `${path} holds no certificate in PEM`)
  }
}

function proxyAddress(text: string): string {
  const url = URL.parse(text)
  const isPlain = url !== null && url.pathname === '/' && url.search === '' && url.hash === ''
  if (isPlain && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href
  throw new KmsError('usage', '--proxy is http://HOST:PORT or https://HOST:PORT')
}
