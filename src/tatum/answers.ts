import { KmsError } from '../base/errors.ts'
import { type HttpRequest, type HttpResponse, secureUrl } from '../base/http.ts'
import { asRecord, asString, parseJson } from '../base/json.ts'

/** An address without the slashes at its end: what paths are appended to. */
export function baseOf(
  url: string,
  rules: Pick<HttpRequest, 'label' | 'insecureHttp'>,
): (path: string) => string {
  const { origin, pathname } = secureUrl(url, rules)
  const base = origin + pathname.replace(/\/+$/, '')
  return path => {
    // Without its slash a path would continue the host name and send what follows elsewhere.
    if (!path.startsWith('/')) throw new KmsError('unexpected', 'a path has no leading slash')
    return base + path
  }
}

/** Headers that every server gets. */
export function commonHeaders(version: string): Readonly<Record<string, string>> {
  return { accept: 'application/json', 'user-agent': `tatum-kms/${version}` }
}

/** Fit for a message, cut to a length. */
export type Clean = (text: string, maxLength: number) => string

/**
 * Makes a server's text fit for a message: printable ASCII on one line, without URLs and without
 * the API key, which the server may know and quote ("no subscription for '…'").
 */
export function createCleaner(apiKey?: string): Clean {
  const spellings = apiKey === undefined ? [] : [apiKey, encodeURIComponent(apiKey)]
  return (text, maxLength) => {
    const printable = text
      .replace(/[^\x20-\x7e]+/g, ' ')
      .replace(/(?:https?|wss?):\/\/\S+/gi, '[url]')
    // Blanked before it is cut: half a key is still too much of it.
    const blanked = spellings.reduce((rest, key) => rest.replaceAll(key, '[api key]'), printable)
    return blanked.slice(0, maxLength).trim()
  }
}

export function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300
}

/** `status 403: some.code: what it says`, as far as it says something. */
export function describeOutcome({ status, text }: HttpResponse, clean: Clean): string {
  const body = asRecord(parseJson(text))
  const parts = [body?.get('errorCode'), body?.get('message')].map(asString)
  const said = clean(parts.filter(part => part !== undefined).join(': '), maxRefusal)
  return said === '' ? `status ${status}` : `status ${status}: ${said}`
}

const maxRefusal = 300

export function readJson({ text }: HttpResponse, what: string): unknown {
  const value = parseJson(text)
  if (value === undefined) throw wrongShape(what)
  return value
}

export function wrongShape(what: string): KmsError {
  return new KmsError('network', `${what} was answered in the wrong shape`)
}
