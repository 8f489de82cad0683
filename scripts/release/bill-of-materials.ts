import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { engines, license, name, version } from '../../package.json'
import { folderOf, type LockedPackage, runtimePackages } from './lock-file.ts'
import { type Target, targets } from './targets.ts'

/**
 * What the programs are made of, in CycloneDX 1.6. Without the optional serial number and time, so
 * that the same sources have the same bill.
 */
export function billOfMaterials(root: string): string {
  const packages = runtimePackages(root)
  const runtimes = targets.map(runtimeComponent)
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as OwnPackage
  const direct = packages.filter(({ key }) => key in own.dependencies).map(purlOf)
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': name,
        name,
        version,
        licenses: licensesOf(license),
      },
    },
    components: [...runtimes, ...uniquely(packages).map(each => packageComponent(root, each))],
    dependencies: [
      { ref: name, dependsOn: [...runtimes.map(runtime => runtime['bom-ref']), ...direct] },
      ...dependencies(packages),
    ],
  }
  return `${JSON.stringify(bill, undefined, 2)}\n`
}

type OwnPackage = { readonly dependencies: Readonly<Record<string, string>> }

function runtimeComponent({ runtime, integrity }: Target) {
  const purl = packageUrl(runtime, engines.bun)
  return {
    type: 'platform',
    'bom-ref': purl,
    name: runtime,
    version: engines.bun,
    purl,
    hashes: hashesOf(integrity),
    // As Bun's documentation says of itself.
    licenses: [{ license: { id: 'MIT' } }, { license: { name: 'LGPL-2 (JavaScriptCore)' } }],
  }
}

function packageComponent(root: string, locked: LockedPackage) {
  const file = join(root, folderOf(locked), 'package.json')
  const about = JSON.parse(readFileSync(file, 'utf8')) as { readonly license?: string }
  if (about.license === undefined) throw new Error(`${locked.name} names no licence`)
  const purl = purlOf(locked)
  return {
    type: 'library',
    'bom-ref': purl,
    name: locked.name,
    version: locked.version,
    purl,
    hashes: hashesOf(locked.integrity),
    licenses: licensesOf(about.license),
  }
}

/** One that is installed in several places is one component. */
function uniquely(packages: readonly LockedPackage[]): readonly LockedPackage[] {
  return [...new Map(packages.map(each => [purlOf(each), each])).values()]
}

function dependencies(packages: readonly LockedPackage[]) {
  const byKey = new Map(packages.map(each => [each.key, purlOf(each)]))
  return uniquely(packages).map(each => ({
    ref: purlOf(each),
    dependsOn: each.needs.flatMap(key => byKey.get(key) ?? []),
  }))
}

function purlOf(locked: LockedPackage): string {
  return packageUrl(locked.name, locked.version)
}

/** purl-spec: the @ of a scope is escaped. */
function packageUrl(packageName: string, packageVersion: string): string {
  return `pkg:npm/${packageName.replace('@', '%40')}@${packageVersion}`
}

function hashesOf(integrity: string) {
  const [algorithm, digest = ''] = integrity.split('-', 2)
  if (algorithm !== 'sha512') throw new Error(`an unknown hash: ${algorithm}`)
  return [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }]
}

function licensesOf(spdx: string) {
  return spdx.includes(' ') ? [{ expression: spdx }] : [{ license: { id: spdx } }]
}
