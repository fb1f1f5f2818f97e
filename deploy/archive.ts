// An image as one tar that `docker load` and `ctr images import` take, without a daemon: an OCI layout (image-spec, image-layout.md) that
// has Docker's manifest.json too.
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { constants, gzipSync } from 'node:zlib';
import type { Architecture } from './parts.ts';
import { tarStream, type TarEntry } from './tar.ts';

export interface Image {
  /** `ghcr.io/hotexec/hotexec-agent:0.1.0` */
  readonly reference: string;
  readonly architecture: Architecture;
  readonly version: string;
  readonly config: object;
  readonly layers: readonly (readonly TarEntry[])[];
  /** Smaller, and some seconds more. */
  readonly compress: boolean;
}

/** The whole archive. The digest of the configuration is what Docker calls the image's id. */
export async function imageArchive(
  image: Image,
): Promise<{ readonly id: string; readonly tar: AsyncGenerator<Buffer> }> {
  const layers = await Promise.all(image.layers.map(async (entries) => layerOf(entries, image.compress)));
  const config = blob({
    architecture: image.architecture,
    os: 'linux',
    created: epoch,
    config: { ...image.config, Labels: labelsOf(image) },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: epoch, created_by: 'deploy/build-image.ts' })),
  });
  const layerType = `application/vnd.oci.image.layer.v1.tar${image.compress ? '+gzip' : ''}`;
  const manifest = blob({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptorOf(config, 'application/vnd.oci.image.config.v1+json'),
    layers: layers.map((layer) => descriptorOf(layer, layerType)),
  });
  const tag = image.reference.slice(image.reference.lastIndexOf(':') + 1);
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...descriptorOf(manifest, manifestType),
        platform: { architecture: image.architecture, os: 'linux' },
        annotations: { 'io.containerd.image.name': image.reference, 'org.opencontainers.image.ref.name': tag },
      },
    ],
  };
  const forDocker = [{ Config: pathOf(config), RepoTags: [image.reference], Layers: layers.map(pathOf) }];
  const tar = tarStream([
    entry('/oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    entry('/index.json', json(index)),
    entry('/manifest.json', json(forDocker)),
    ...['/blobs', '/blobs/sha256'].map((path) => ({ path, mode: 0o755, read: null })),
    ...[config, manifest, ...layers].map((one) => entry(`/${pathOf(one)}`, one.content)),
  ]);
  return { id: `sha256:${config.digest}`, tar };
}

/** Nothing depends on when it was built. */
const epoch = '1970-01-01T00:00:00Z';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

interface Blob {
  readonly digest: string;
  readonly content: Buffer;
}

async function layerOf(entries: readonly TarEntry[], compress: boolean): Promise<Blob & { readonly diffId: string }> {
  const tar = await buffer(tarStream(entries));
  const content = compress ? gzipSync(tar, { level: constants.Z_BEST_COMPRESSION }) : tar;
  return { digest: sha256(content), content, diffId: `sha256:${sha256(tar)}` };
}

function labelsOf({ version }: Image): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.title': 'hotexec agent',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  };
}

function blob(content: object): Blob {
  const bytes = json(content);
  return { digest: sha256(bytes), content: bytes };
}

function descriptorOf({ digest, content }: Blob, mediaType: string): object {
  return { mediaType, digest: `sha256:${digest}`, size: content.length };
}

function pathOf({ digest }: Blob): string {
  return `blobs/sha256/${digest}`;
}

function entry(path: string, content: Buffer): TarEntry {
  return { path, mode: 0o644, read: async () => Promise.resolve(content) };
}

function json(content: object): Buffer {
  return Buffer.from(JSON.stringify(content));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
