/** The first systemd in which a service can say by itself that it reloads. */
const firstWithReload = 253

/** A unit of systemd/ for this machine. */
export function renderUnit(
  text: string,
  { binary, systemd }: { readonly binary: string; readonly systemd: number },
): string {
  const placed = text.replaceAll('@BINARY@', binary)
  if (systemd >= firstWithReload) return placed
  // In the service's own root there is no kill(1), whatever stands before the command.
  const reload = 'Type=notify\nExecReload=/tatum-kms reload-service $MAINPID'
  return placed.replace('Type=notify-reload', reload)
}
