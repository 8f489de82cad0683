/** What a release is built for, and the Bun each of these programs is embedded in. */

export type Target = {
  readonly name: string
  readonly file: string
  /** What `bun build --target` calls it. */
  readonly bunTarget: string
  /** The npm package with this Bun. */
  readonly runtime: string
  /** Of that package in the version that package.json asks for: the registry is not trusted. */
  readonly integrity: string
}

export const targets: readonly Target[] = [
  {
    name: 'linux-x64',
    file: 'tatum-kms-linux-x64',
    bunTarget: 'bun-linux-x64',
    runtime: '@oven/bun-linux-x64',
    integrity:
      'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
  },
  {
    name: 'linux-x64-baseline',
    file: 'tatum-kms-linux-x64-baseline',
    bunTarget: 'bun-linux-x64-baseline',
    runtime: '@oven/bun-linux-x64-baseline',
    integrity:
      'sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==',
  },
  {
    name: 'linux-arm64',
    file: 'tatum-kms-linux-arm64',
    bunTarget: 'bun-linux-arm64',
    runtime: '@oven/bun-linux-aarch64',
    integrity:
      'sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==',
  },
  {
    name: 'linux-x64-musl',
    file: 'tatum-kms-linux-x64-musl',
    bunTarget: 'bun-linux-x64-musl',
    runtime: '@oven/bun-linux-x64-musl',
    integrity:
      'sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==',
  },
  {
    name: 'darwin-arm64',
    file: 'tatum-kms-darwin-arm64',
    bunTarget: 'bun-darwin-arm64',
    runtime: '@oven/bun-darwin-aarch64',
    integrity:
      'sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==',
  },
  {
    name: 'darwin-x64',
    file: 'tatum-kms-darwin-x64',
    bunTarget: 'bun-darwin-x64',
    runtime: '@oven/bun-darwin-x64',
    integrity:
      'sha512-qkLPMGHZM9NI6CeHTWwVezzmlo6cC4Ta7yUAjYIWXS366qQcOlcp75t2uZyiuVRBMPS0h9qE0tCcvCHGaFqjJg==',
  },
  {
    name: 'windows-x64',
    file: 'tatum-kms-windows-x64.exe',
    bunTarget: 'bun-windows-x64',
    runtime: '@oven/bun-windows-x64',
    integrity:
      'sha512-FNvply651vcE/GHgNWz6mZvhmkwBuu8Hw54oNzA+CQog+HW+542rXQmZqNHRkFxazD9L3xi+iTtvO3engAgJfw==',
  },
  {
    name: 'windows-arm64',
    file: 'tatum-kms-windows-arm64.exe',
    bunTarget: 'bun-windows-arm64',
    runtime: '@oven/bun-windows-aarch64',
    integrity:
      'sha512-MiPFZnBNDnBXgr1oONc5pizC4fOLjnIOfNkYdFEnWzLmoFTg86naZIG3SvS7d/GglpQSAnCKMAzSjI/TAckiRw==',
  },
]

/** Those of these names, or all; throws for a name that is none. */
export function targetsNamed(names: readonly string[]): readonly Target[] {
  for (const name of names) {
    if (!targets.some(target => target.name === name)) throw new Error(`no such target: ${name}`)
  }
  return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name))
}
