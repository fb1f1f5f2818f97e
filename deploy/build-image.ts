// node deploy/build-image.ts [amd64|arm64]... [--out DIR] [--tag REFERENCE] [--uncompressed]: the agent's image as a tar for each architecture,
// without a Docker daemon. It packs dist, so build first. `docker load -i FILE` or `ctr -n k8s.io images import FILE` takes it.
import { createWriteStream, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { defaultAgentImage } from '../src/agent/image.ts';
import { imageArchive } from './archive.ts';
import { architectures, partsFor, type Architecture } from './parts.ts';
import { hotexecLayer, imageConfig, nodeLayer } from './root.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: join(import.meta.dirname, 'out') },
    tag: { type: 'string', default: defaultAgentImage(manifest.version) },
    uncompressed: { type: 'boolean', default: false },
  },
});

const unknown = positionals.find((name) => !isArchitecture(name));
if (unknown !== undefined) throw new Error(`${unknown} is no architecture of this image: ${architectures.join(', ')}`);
mkdirSync(values.out, { recursive: true });
for (const architecture of architectures) {
  if (positionals.length > 0 && !positionals.includes(architecture)) continue;
  const { id, tar } = await imageArchive({
    reference: values.tag,
    architecture,
    version: manifest.version,
    config: imageConfig,
    layers: [nodeLayer(partsFor(architecture)), hotexecLayer()],
    compress: !values.uncompressed,
  });
  const path = join(values.out, `hotexec-agent-${manifest.version}-${architecture}.tar`);
  await pipeline(tar, createWriteStream(path));
  console.log(`${path}: ${values.tag}, ${id}, ${Math.round(statSync(path).size / 1e6)} MB`);
}

function isArchitecture(name: string): name is Architecture {
  return architectures.some((architecture) => architecture === name);
}
