/** Of what a server says; the rest of a sentence this long explains nothing more. */
const maxLength = 160
/** Words of a sentence are shorter, or at least hold nothing but letters: hashes and keys do not. */
const maxWord = 24
const maxOddWord = 11

/**
 * What a server gives as its reason, fit for an error: printable ASCII on one line, without addresses,
 * and without any word that could be the API key, which the server knows and a chain does not.
 */
export function quoteReason(reason: string | undefined): string {
  const words = (reason ?? '')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .split(' ')
    .filter(word => word !== '')
    .map(word => (isPlain(word) ? word : '[...]'))
  return words.join(' ').slice(0, maxLength).trim() || 'no reason given'
}

function isPlain(word: string): boolean {
  if (/[/\\@]/.test(word)) return false
  return word.length <= (/[\d_-]/.test(word) ? maxOddWord : maxWord)
}
