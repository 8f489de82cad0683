/** What this process has used so far. */
export type Usage = { readonly residentBytes: number; readonly cpuSeconds: number }

export function processUsage(): Usage {
  const { user, system } = process.cpuUsage()
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 }
}
