import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { dependencies } from '../../package.json'
import { billOfMaterials } from '../../scripts/release/bill-of-materials.ts'
import { folderOf, runtimePackages } from '../../scripts/release/lock-file.ts'
import { signFile } from '../../scripts/release/sign-file.ts'
import { targets } from '../../scripts/release/targets.ts'

const root = resolve(import.meta.dir, '../..')

type Component = {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly 'bom-ref': string
  readonly hashes: readonly { readonly alg: string; readonly content: string }[]
  readonly licenses: readonly object[]
}

type Bill = {
  readonly bomFormat: string
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

const bill = JSON.parse(billOfMaterials(root)) as Bill

test('the bill of materials has every package we depend on, and every runtime', () => {
  const names = bill.components.map(({ name }) => name)
  for (const name of Object.keys(dependencies)) expect(names).toContain(name)
  for (const { runtime } of targets) expect(names).toContain(runtime)
  expect(bill.bomFormat).toBe('CycloneDX')
})

test('it has no package that only tests and tools use', () => {
  const names = bill.components.map(({ name }) => name)
  for (const name of ['tronweb', 'fast-check', 'typescript']) expect(names).not.toContain(name)
})

test('each component is told once, with licence and hash', () => {
  const references = bill.components.map(component => component['bom-ref'])
  expect(new Set(references).size).toBe(references.length)
  for (const { licenses, hashes, purl, version } of bill.components) {
    expect(licenses.length).toBeGreaterThan(0)
    expect(hashes[0]?.content).toMatch(/^[0-9a-f]{128}$/)
    expect(purl).toEndWith(`@${version}`)
  }
})

test('what a component depends on is in the bill', () => {
  const known = new Set(bill.components.map(component => component['bom-ref']))
  for (const { dependsOn } of bill.dependencies) {
    for (const reference of dependsOn) expect(known).toContain(reference)
  }
  const curves = bill.dependencies.find(({ ref }) => ref === 'pkg:npm/%40noble/curves@2.4.0')
  expect(curves?.dependsOn).toEqual(['pkg:npm/%40noble/hashes@2.4.0'])
})

test('it is the same every time', () => {
  expect(billOfMaterials(root)).toBe(billOfMaterials(root))
})

test('each package of the lock file is where it is installed', () => {
  for (const locked of runtimePackages(root)) {
    const path = join(root, folderOf(locked), 'package.json')
    const { name, version } = JSON.parse(readFileSync(path, 'utf8'))
    expect([name, version]).toEqual([locked.name, locked.version])
  }
})

test.skipIf(Bun.which('minisign') === null)('the checksums are signed with the key given', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-minisign-'))
  try {
    const [key, publicKey, file] = ['key', 'key.pub', 'SHA256SUMS'].map(name => join(folder, name))
    const make = ['minisign', '-G', '-W', '-p', publicKey ?? '', '-s', key ?? '']
    expect(Bun.spawnSync(make).exitCode).toBe(0)
    writeFileSync(file ?? '', 'some text')
    signFile(file ?? '', { key: key ?? '', comment: 'tatum-kms 1.2.3' })
    const verify = () => Bun.spawnSync(['minisign', '-V', '-p', publicKey ?? '', '-m', file ?? ''])
    expect(verify().stdout.toString()).toContain('tatum-kms 1.2.3')
    writeFileSync(file ?? '', 'another text')
    expect(verify().exitCode).not.toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
