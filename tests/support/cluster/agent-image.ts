// The agent's image in the cluster's containerd, as deploy/build-image.ts packs it.
import { createHash } from 'node:crypto';
import { imageArchive } from '../../../deploy/archive.ts';
import { partsFor } from '../../../deploy/parts.ts';
import { hotexecLayer, imageConfig, nodeLayer } from '../../../deploy/root.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { importImage, isKnown } from './image.ts';

/** Its reference; imported unless this very image is there. */
export async function agentImage(): Promise<string> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const layers = [nodeLayer(partsFor(architecture)), hotexecLayer()];
  const hash = createHash('sha256').update(JSON.stringify(imageConfig));
  for (const { path, mode, read } of layers.flat()) hash.update(`${path} ${mode}`).update((await read?.()) ?? '');
  const reference = `localhost/hotexec-test/agent:${hash.digest('hex').slice(0, 16)}`;
  if (await isKnown(reference)) return reference;
  const { version } = manifest;
  const image = { reference, architecture, version, config: imageConfig, layers, compress: false } as const;
  const { tar } = await imageArchive(image);
  await importImage(reference, tar);
  return reference;
}
