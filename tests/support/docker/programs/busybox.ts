// A static busybox, alone with the page and the CGI program it serves; and a script of its shell as pid 1.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serversDirectory } from '../cache.ts';
import { findCommand } from '../find-command.ts';
import { childrenOf } from '../proc.ts';
import type { Program } from '../program.ts';
import { directory, hostFile, textFile, type RootfsEntry } from '../rootfs.ts';
import { httpGet } from '../talk.ts';

export const busybox: Program = {
  name: 'busybox',
  needs: [{ command: 'busybox' }],
  recipe: async () => ({
    name: 'busybox',
    files: await files(),
    entrypoint: ['/busybox', 'httpd', '-f', '-vv', '-p', '8080', '-h', '/www'],
  }),
  ask: async ({ address }) => await httpGet(address, 8080, '/cgi-bin/instance.sh'),
  logLine: /url:/,
  children: [],
  readOnlyFlags: [],
  isDeterministic: true,
};

/** The shell waits for the server that it has started. */
export const entrypoint: Program = {
  ...busybox,
  name: 'a shell script',
  recipe: async () => ({
    name: 'entrypoint',
    files: [...(await files()), await script('entrypoint.sh', '/entrypoint.sh')],
    entrypoint: ['/entrypoint.sh'],
  }),
  async ask({ address, pid }) {
    await httpGet(address, 8080, '/index.html');
    return `children ${(await childrenOf(pid)).join(' ')}`;
  },
  logLine: /the script begins/,
  children: ['busybox'],
};

async function files(): Promise<RootfsEntry[]> {
  return [
    await hostFile(await findCommand('busybox'), '/busybox'),
    textFile('/www/index.html', 'served\n'),
    await script('instance.sh', '/www/cgi-bin/instance.sh'),
    directory('/tmp', 0o1777),
  ];
}

async function script(name: string, path: string): Promise<RootfsEntry> {
  return textFile(path, await readFile(join(serversDirectory, name), 'utf8'), 0o755);
}
