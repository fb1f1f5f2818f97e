// A program that listens on what its configuration says, so that each kind of socket can be asked what became of it.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../until.ts';
import { serversDirectory } from './cache.ts';
import { startContainer, type Container } from './container.ts';
import { imageOf } from './image.ts';
import { python } from './programs/python.ts';
import { directory, hostFile, textFile } from './rootfs.ts';

const execute = promisify(execFile);

export interface SocketSetting {
  readonly family: 'AF_INET' | 'AF_INET6' | 'AF_UNIX';
  readonly type?: 'SOCK_STREAM' | 'SOCK_SEQPACKET' | 'SOCK_DGRAM';
  /** `@NAME`: abstract. */
  readonly address: string;
  readonly port?: number;
  readonly options?: readonly (readonly [string, string, number])[];
  readonly nonBlocking?: boolean;
  readonly inheritable?: boolean;
  readonly backlog?: number;
}

export interface Configuration {
  readonly sockets: readonly SocketSetting[];
  /** How long it waits before it binds. */
  readonly lateMs?: number;
  /** Told to stop, it shuts no listener down. */
  readonly onlyCloses?: boolean;
}

/** What a socket says of itself. */
export interface SocketTells {
  readonly instance: string;
  readonly inode: number;
  readonly [attribute: string]: unknown;
}

export async function startSockets(configuration: Configuration, flags: readonly string[] = []): Promise<Container> {
  const { files } = await python.recipe();
  const server = await hostFile(join(serversDirectory, 'listen.py'), '/listen.py');
  const image = await imageOf({
    name: 'sockets',
    files: [...files, server, directory('/run'), textFile('/config.json', JSON.stringify(configuration))],
    entrypoint: ['/usr/bin/python3', '-I', '/listen.py'],
  });
  // A container has no IPv6 without a network of it, not even on its loopback.
  const container = await startContainer({
    image,
    flags: ['--sysctl', 'net.ipv6.conf.all.disable_ipv6=0', ...flags],
  });
  await Promise.all(configuration.sockets.map(async (setting) => await tells(container, setting)));
  return container;
}

/** For its next run. */
export async function configure(container: Container, configuration: Configuration): Promise<void> {
  await writeFile(`/proc/${container.pid}/root/config.json`, JSON.stringify(configuration));
}

/** Asked from within the network of the container, until it answers. */
export async function tells(container: Container, setting: SocketSetting): Promise<SocketTells> {
  const what = `${setting.address} ${setting.port ?? ''} answers`;
  return await until(what, async () => await tellsNow(container, setting));
}

/** Asked once; throws when it does not answer. */
export async function tellsNow(container: Container, setting: SocketSetting): Promise<SocketTells> {
  const { family, type = 'SOCK_STREAM', address, port = 0 } = setting;
  const inside = address.startsWith('/') ? `/proc/${container.pid}/root${address}` : address;
  const asking = [
    '/usr/bin/python3',
    '-I',
    join(serversDirectory, 'ask.py'),
    family,
    type,
    loopback(inside),
    String(port),
  ];
  const { stdout } = await execute('nsenter', ['--target', String(container.pid), '--net', ...asking], {
    timeout: 15_000,
  });
  return JSON.parse(stdout) as SocketTells;
}

function loopback(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}
