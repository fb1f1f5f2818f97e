// Images in the cluster's containerd, packed from files of this machine. The tag is a hash of all that goes in, so an image
// is imported once and again only when something changed.
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from '../docker/program.ts';
import { until } from '../until.ts';
import { pack, type ClusterImageRecipe } from './archive.ts';
import { dataDirectory } from './machine/places.ts';
import { ctr } from './machine/runtime.ts';

/** The reference to write into a manifest. `IfNotPresent`, the default with such a tag, is the pull policy for it. */
export async function clusterImageOf(recipe: ClusterImageRecipe): Promise<string> {
  const { digest, as } = await pack(recipe);
  const reference = `localhost/hotexec-test/${recipe.name}:${digest.slice(0, 16)}`;
  if (!(await isKnown(reference))) await importImage(reference, as(reference));
  return reference;
}

const images = new Map<Program, Promise<string>>();

export async function clusterImageOfProgram(program: Program): Promise<string> {
  const known = images.get(program) ?? program.recipe().then(clusterImageOf);
  images.set(program, known);
  return await known;
}

export async function importImage(reference: string, archive: AsyncIterable<Buffer>): Promise<void> {
  const file = join(dataDirectory, `import-${randomBytes(6).toString('hex')}.tar`);
  try {
    await writeFile(file, archive);
    await ctr('images', 'import', file);
  } finally {
    await rm(file, { force: true });
  }
  await until(`${reference} is known to the container runtime`, async () => await isKnown(reference));
}

// The part of containerd that the kubelet asks hears of an image a moment later, and labels it.
export async function isKnown(reference: string): Promise<boolean> {
  const labelled = await ctr(
    'images',
    'list',
    '--quiet',
    `name==${reference},labels."io.cri-containerd.image"==managed`,
  );
  return labelled.trim() === reference;
}
