/** Of what a server says; the rest of a sentence this long explains nothing more. */
const maxLength = 160
/** The longest word of a reason in plain words; hashes, addresses and keys are longer. */
const maxWord = 24

/**
 * What a server gives as its reason, fit for an error: printable ASCII on one line, without addresses,
 * and without any word that could be the API key, which the server knows and a chain does not.
 */
export function quoteReason(reason: string | undefined): string {
  const words = (reason ?? '')
    .slice(0, 4 * maxLength)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .split(' ')
    .filter(word => word !== '')
    .map(word => (word.length > maxWord || /[/\\@]/.test(word) ? '[...]' : word))
  return words.join(' ').slice(0, maxLength).trim() || 'no reason given'
}
