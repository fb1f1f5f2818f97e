// node deploy/write-root.ts DIRECTORY: the root file system of the agent's image for this machine's architecture, as files. For deploy/Dockerfile.
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { partsFor } from './parts.ts';
import { hotexecLayer, nodeLayer } from './root.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('node deploy/write-root.ts DIRECTORY');
await mkdir(directory, { recursive: true });
const parts = partsFor(process.arch === 'arm64' ? 'arm64' : 'amd64');
for (const { path, mode, read, linkTo } of [...nodeLayer(parts), ...hotexecLayer()]) {
  const place = join(directory, path);
  if (linkTo !== undefined) {
    await symlink(linkTo, place);
    continue;
  }
  await (read === null ? mkdir(place, { recursive: true }) : writeFile(place, await read()));
  // What the umask has taken away, and the sticky bit.
  await chmod(place, mode);
}
