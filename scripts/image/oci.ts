import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { type TarEntry, tar } from './tar.ts'

export type ImageSettings = {
  /** Such as `tatum-kms:9.0.0`. */
  readonly reference: string
  readonly machine: 'x64' | 'arm64'
  readonly entrypoint: readonly string[]
  readonly user: string
  readonly environment: readonly string[]
  readonly folder: string
  readonly labels: Readonly<Record<string, string>>
}

/**
 * An OCI image layout (image-spec 1.1) in one archive, which `docker load` of any age, podman and
 * skopeo read. No times: the same files are the same image.
 */
export function ociArchive(files: readonly TarEntry[], settings: ImageSettings): Uint8Array {
  const layer = tar(files)
  const packed = blobOf(gzipSync(layer, { level: 9 }))
  const config = blobOf(configOf(settings, digestOf(layer)))
  const manifest = blobOf(
    json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: describe(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [describe(packed, 'application/vnd.oci.image.layer.v1.tar+gzip')],
    }),
  )
  const blobs = [config, manifest, packed].toSorted((a, b) => (a.digest < b.digest ? -1 : 1))
  return tar([
    { kind: 'folder', path: 'blobs', mode: 0o755 },
    { kind: 'folder', path: 'blobs/sha256', mode: 0o755 },
    ...blobs.map(blob => member(pathOf(blob), blob.bytes)),
    member('index.json', indexOf(settings, manifest)),
    // What Docker before 25 reads instead of the index.
    member(
      'manifest.json',
      json([{ Config: pathOf(config), RepoTags: [settings.reference], Layers: [pathOf(packed)] }]),
    ),
    member('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
  ])
}

type Blob = { readonly digest: string; readonly bytes: Uint8Array }

function blobOf(bytes: Uint8Array): Blob {
  return { digest: digestOf(bytes), bytes }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function configOf(settings: ImageSettings, layer: string): Uint8Array {
  return json({
    architecture: settings.machine === 'x64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: {
      User: settings.user,
      Env: settings.environment,
      Entrypoint: settings.entrypoint,
      WorkingDir: settings.folder,
      Labels: settings.labels,
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  })
}

function indexOf({ reference }: ImageSettings, manifest: Blob): Uint8Array {
  const annotations = {
    'io.containerd.image.name': `docker.io/library/${reference}`,
    'org.opencontainers.image.ref.name': reference.replace(/.*:/, ''),
  }
  return json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      { ...describe(manifest, 'application/vnd.oci.image.manifest.v1+json'), annotations },
    ],
  })
}

function describe({ digest, bytes }: Blob, mediaType: string) {
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length }
}

function pathOf({ digest }: Blob): string {
  return `blobs/sha256/${digest}`
}

function member(path: string, bytes: Uint8Array): TarEntry {
  return { kind: 'file', path, mode: 0o644, bytes }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}
