// The bridge that pods, the node and the API server are on, and how a pod gets onto it (CNI).
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { apiAddress, bridge, dataDirectory, nodeAddress, podSubnet, runDirectory } from './places.ts';

const execute = promisify(execFile);
const name = 'hotexec-test';

export const networkConfigDirectory: string = join(runDirectory, 'cni');

// Docker's daemon forbids forwarding for all that is not its own, and lets bridged packets be filtered as if they were forwarded.
const letThrough = ['FORWARD', '-i', bridge, '-o', bridge, '-j', 'ACCEPT'];

export async function makeNetwork(): Promise<void> {
  await execute('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
  const mask = podSubnet.split('/')[1] ?? '';
  for (const address of [`${nodeAddress}/${mask}`, `${apiAddress}/32`]) {
    await execute('ip', ['address', 'add', address, 'dev', bridge]);
  }
  await execute('ip', ['link', 'set', bridge, 'up']);
  await iptables('-I', ...letThrough);
  await mkdir(networkConfigDirectory, { recursive: true });
  await writeFile(join(networkConfigDirectory, '10-bridge.conflist'), JSON.stringify(configuration));
}

const configuration = {
  cniVersion: '0.4.0',
  name,
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: podSubnet }]],
        routes: [{ dst: '0.0.0.0/0' }],
        dataDir: join(dataDirectory, 'addresses'),
      },
    },
  ],
};

/** The ends of the pods' cables go with their network namespaces. */
export async function removeNetwork(): Promise<void> {
  if (await succeeds(execute('ip', ['link', 'show', bridge]))) await execute('ip', ['link', 'delete', bridge]);
  while (await succeeds(iptables('-C', ...letThrough))) await iptables('-D', ...letThrough);
  await forgetResults();
}

async function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return await attempt.then(
    () => true,
    () => false,
  );
}

async function iptables(...args: readonly string[]): Promise<void> {
  await execute('iptables', ['--wait', ...args]);
}

// The library of containerd writes there what each plugin answered, and knows no other place.
async function forgetResults(): Promise<void> {
  const library = '/var/lib/cni';
  const results = join(library, 'results');
  const files = await readdir(results).catch(() => []);
  const own = files.filter((file) => file.startsWith(`${name}-`) || file.startsWith('cni-loopback-'));
  await Promise.all(own.map(async (file) => await rm(join(results, file))));
  for (const directory of [results, library]) await rmdir(directory).catch(() => undefined);
}
