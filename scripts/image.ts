/**
 * Puts a Linux program into a container image, without a container engine:
 * `image.ts [PROGRAM [ARCHIVE]]`. The C library and the certificates are this machine's.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { description, license, name, version } from '../package.json'
import { certificates, imageFiles, imageUser } from './image/files.ts'
import { ociArchive } from './image/oci.ts'

const [program = 'dist/tatum-kms', archive = 'dist/tatum-kms.oci.tar'] = process.argv.slice(2)
const { machine, entries, borrowed } = imageFiles(readFileSync(program))
const image = ociArchive(entries, {
  reference: `${name}:${version}`,
  machine,
  entrypoint: ['/usr/local/bin/tatum-kms'],
  user: `${imageUser}:${imageUser}`,
  environment: ['PATH=/usr/local/bin', 'HOME=/root'],
  folder: '/root',
  labels: {
    'org.opencontainers.image.title': name,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.licenses': license,
    'tatum-kms.borrowed': [...new Set(borrowed.map(packageOf))].toSorted().join(', '),
  },
})
writeFileSync(archive, image)
console.log(`image: ${archive}, ${image.length >> 20} MiB`)

/** Which Debian package a file is from, with its version: somebody must know what to update. */
function packageOf(path: string): string {
  const owner = path === certificates ? 'ca-certificates' : ownerOf(path)
  return ask(['dpkg-query', '--show', owner])?.replace('\t', ' ') ?? path
}

/** A file below /lib may be known by the name it had before that became a link to /usr/lib. */
function ownerOf(path: string): string {
  const found = [path, `/usr${path}`].map(known => ask(['dpkg-query', '--search', known]))
  return found.find(line => line !== undefined)?.split(': ')[0] ?? path
}

function ask(command: readonly string[]): string | undefined {
  const run = Bun.spawnSync([...command], { stderr: 'ignore' })
  return run.exitCode === 0 ? run.stdout.toString().trim() : undefined
}
