// An image as `docker save` writes it, which containerd imports: one layer, its configuration, and which is which.
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { ImageRecipe } from '../docker/image.ts';
import { complete, textFile, type RootfsEntry } from '../docker/rootfs.ts';
import { tarStream } from '../../../deploy/tar.ts';

export interface ClusterImageRecipe extends ImageRecipe {
  /** More of the image's configuration, in the words of the OCI: `{ User: '1000', StopSignal: 'SIGQUIT' }`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface Archive {
  /** Of all that goes into the image; hex. */
  readonly digest: string;
  /** The archive, in which the image has that reference. */
  readonly as: (reference: string) => AsyncGenerator<Buffer>;
}

export async function pack(recipe: ClusterImageRecipe): Promise<Archive> {
  const layer = await buffer(tarStream(complete(recipe.files)));
  const config = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {
      Entrypoint: recipe.entrypoint,
      Env: Object.entries(recipe.env ?? {}).map(([name, value]) => `${name}=${value}`),
      ...recipe.config,
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
  });
  return {
    digest: sha256(config),
    as: (reference) =>
      tarStream([
        textFile('/manifest.json', manifestOf(reference)),
        textFile('/config.json', config),
        { path: '/layer.tar', mode: 0o644, read: async () => layer } satisfies RootfsEntry,
      ]),
  };
}

function manifestOf(reference: string): string {
  return JSON.stringify([{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }]);
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
