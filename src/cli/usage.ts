/** Words to choose from are typed as they are; names of arguments stand in capitals. */
export function usage(name: string, args: readonly string[]): string {
  return [name, ...args.map(arg => (arg.includes('|') ? arg : arg.toUpperCase()))].join(' ')
}
