// Images packed from files of this machine, without a registry. The tag is a hash of all that goes in, so an image is
// imported once and again only when something changed.
import { createHash } from 'node:crypto';
import { docker, dockerWithInput } from './docker.ts';
import { complete, type RootfsEntry } from './rootfs.ts';
import { tarStream } from '../../../deploy/tar.ts';

export interface ImageRecipe {
  readonly name: string;
  readonly files: readonly RootfsEntry[];
  readonly entrypoint: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The reference to give to `docker run`. */
export async function imageOf(recipe: ImageRecipe): Promise<string> {
  const entries = complete(recipe.files);
  const repository = `hotexec-test/${recipe.name}`;
  const reference = `${repository}:${await digest(recipe, entries)}`;
  if ((await docker('image', 'ls', '--quiet', reference)) !== '') return reference;
  const changes = changesOf(recipe).flatMap((change) => ['--change', change]);
  await dockerWithInput(['import', ...changes, '-', reference], tarStream(entries));
  await removeOthers(repository, reference);
  return reference;
}

function changesOf(recipe: ImageRecipe): string[] {
  const env = Object.entries(recipe.env ?? {}).map(([name, value]) => `ENV ${name}=${value}`);
  return [`ENTRYPOINT ${JSON.stringify(recipe.entrypoint)}`, ...env];
}

async function digest(recipe: ImageRecipe, entries: readonly RootfsEntry[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(changesOf(recipe)));
  for (const { path, mode, read } of entries) {
    hash.update(`\0${path}\0${mode.toString(8)}\0`);
    if (read !== null) hash.update(await read());
  }
  return hash.digest('hex').slice(0, 16);
}

// Earlier versions would pile up. One that a container still uses stays: docker refuses, and that is right.
export async function removeOthers(repository: string, reference: string): Promise<void> {
  const listed = await docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', repository);
  const others = listed.split('\n').filter((other) => other !== '' && other !== reference);
  await Promise.all(others.map(async (other) => await docker('image', 'rm', other).catch(() => undefined)));
}
