// The files of the agent's image, in two layers: Node with its libraries, which stays the same for many versions, and hotexec.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Parts } from './parts.ts';
import type { TarEntry } from './tar.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** Where the program is in the image. */
const home = '/hotexec';

export const imageConfig: {
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
} = {
  Env: [
    'PATH=/usr/bin',
    // In a directory that any user may write to each makes one of its own.
    'HOTEXEC_RUNTIME_DIR=/run/hotexec/agent',
    'HOTEXEC_STATE_DIR=/run/hotexec/state',
  ],
  Entrypoint: [`${home}/node`, '--', `${home}/cli.cjs`, 'agent', 'serve'],
  WorkingDir: '/',
};

export function nodeLayer({ node, libraries, licences, nodeArch, koffi }: Parts): readonly TarEntry[] {
  return withDirectories([
    file(`${home}/node`, node, 0o755),
    ...[...libraries].map(([path, from]) => file(path, from, 0o755)),
    // Found as in node_modules: src/native/addon.ts loads the addon alone.
    text(`${home}/node_modules/koffi/package.json`, '{"name":"koffi","main":"index.js"}\n'),
    text(`${home}/node_modules/koffi/index.js`, ''),
    text(`${home}/node_modules/@koromix/koffi-linux-${nodeArch}/package.json`, '{}\n'),
    file(`${home}/node_modules/@koromix/koffi-linux-${nodeArch}/linux_${nodeArch}/koffi.node`, koffi),
    ...licences.map((path, index) => file(`${home}/licences/${index}-${basename(dirname(path))}`, path)),
    text('/etc/passwd', 'root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n'),
    text('/etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
    directory('/tmp', 0o1777),
    directory('/run/hotexec', 0o1777),
    directory('/proc'),
    directory('/sys'),
    directory('/dev'),
  ]);
}

export function hotexecLayer(): readonly TarEntry[] {
  if (!existsSync(join(dist, 'cli.cjs'))) throw new Error('there is no dist: npm run build makes it');
  return withDirectories([
    // No shell and no env: the kernel finds Node by this line.
    text(`${home}/cli.cjs`, readFileSync(join(dist, 'cli.cjs'), 'utf8').replace(/^#!.*/, `#!${home}/node --`), 0o755),
    file(`${home}/engine.cjs`, join(dist, 'engine.cjs')),
    ...neededChunks().map((name) => file(`${home}/chunks/${name}`, join(dist, 'chunks', name))),
    file(`${home}/THIRD-PARTY-LICENSES`, join(dist, 'THIRD-PARTY-LICENSES')),
    file(`${home}/LICENSE`, join(root, 'LICENSE')),
    text(`${home}/package.json`, '{"name":"hotexec","type":"module"}\n'),
    { path: '/usr/bin/hotexec', mode: 0o777, read: null, linkTo: `${home}/cli.cjs` },
  ]);
}

const mostNaming = 100_000;

/** Of the command and the engine, not of the library: what they name, and what that names. */
function neededChunks(): readonly string[] {
  const all = readdirSync(join(dist, 'chunks'));
  const needed = new Set<string>();
  const waiting = ['../cli.cjs', '../engine.cjs'];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const code = readFileSync(join(dist, 'chunks', next), 'latin1');
    // What a large one names is for a command on a user's own machine.
    if (code.length > mostNaming) continue;
    for (const name of all) {
      if (needed.has(name) || code.indexOf(name.replace(/\.(?:cjs|cache)$/, '')) === -1) continue;
      needed.add(name);
      if (name.endsWith('js')) waiting.push(name);
    }
  }
  return [...needed].toSorted();
}

function file(path: string, from: string, mode = 0o644): TarEntry {
  return { path, mode, read: async () => readFile(from) };
}

function text(path: string, content: string, mode = 0o644): TarEntry {
  return { path, mode, read: async () => Promise.resolve(Buffer.from(content)) };
}

function directory(path: string, mode = 0o755): TarEntry {
  return { path, mode, read: null };
}

/** Sorted, with the directories that lead there. */
function withDirectories(entries: readonly TarEntry[]): readonly TarEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries)
    for (let parent = dirname(path); parent !== '/'; parent = dirname(parent))
      if (!byPath.has(parent)) byPath.set(parent, directory(parent));
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
