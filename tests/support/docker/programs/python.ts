// Debian's CPython with its standard library.
import { join } from 'node:path';
import { realpath } from 'node:fs/promises';
import { serversDirectory } from '../cache.ts';
import type { Program } from '../program.ts';
import { executable, hostFile, hostTree, librariesOf, type RootfsEntry } from '../rootfs.ts';
import { httpGet } from '../talk.ts';

export const python: Program = {
  name: 'python',
  needs: [{ command: 'python3' }],
  recipe: async () => ({
    name: 'python',
    files: await files(),
    entrypoint: ['/usr/bin/python3', '-I', '/server.py'],
  }),
  ask: async ({ address }) => await httpGet(address, 8080),
  logLine: /python serves/,
  children: [],
  readOnlyFlags: [],
  isDeterministic: false,
};

// /usr/bin/python3, whatever PATH has before it: a pyenv's interpreter finds its library elsewhere.
async function files(): Promise<RootfsEntry[]> {
  const real = await realpath('/usr/bin/python3');
  const unwanted = /\/(?:test|tests|idlelib|lib2to3|ensurepip|config-[^/]+)\/|\.pyc$/;
  const library = await hostTree(real.replace('/bin/', '/lib/'), (path) => !unwanted.test(path));
  const modules = library.map(({ path }) => path).filter((path) => path.endsWith('.so'));
  return [
    ...(await executable('/usr/bin/python3')),
    ...(await Promise.all((await librariesOf(modules)).map(async (path) => await hostFile(path)))),
    ...library,
    await hostFile(join(serversDirectory, 'server.py'), '/server.py'),
  ];
}
