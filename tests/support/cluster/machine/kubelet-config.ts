// How the kubelet is set: for a machine with cgroup v1 or v2, without systemd, whose disk may be nearly full.
import { mkdir, readdir, readlink, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificate } from './certificates.ts';
import { dataDirectory, nodeAddress, runDirectory, runtimeSocket, staticPodsDirectory } from './places.ts';

export const kubeletConfigFile: string = join(runDirectory, 'kubelet.json');
export const kubeletDirectory: string = join(dataDirectory, 'kubelet');
export const volumePluginsDirectory: string = join(kubeletDirectory, 'volume-plugins');
const logsDirectory = join(dataDirectory, 'logs');

const config = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: nodeAddress,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: certificate('ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  containerRuntimeEndpoint: `unix://${runtimeSocket}`,
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  failSwapOn: false,
  enforceNodeAllocatable: ['none'],
  podLogsDir: logsDirectory,
  volumePluginDir: volumePluginsDirectory,
  staticPodPath: staticPodsDirectory,
  // Images were packed here and can be had nowhere else.
  imageGCHighThresholdPercent: 100,
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '0%',
    'nodefs.inodesFree': '0%',
    'imagefs.available': '0%',
    'imagefs.inodesFree': '0%',
  },
  // The packet filter is this machine's.
  makeIPTablesUtilChains: false,
  // A pull that fails does not hold up the next.
  serializeImagePulls: false,
};

export async function writeKubeletConfig(): Promise<void> {
  const directories = [staticPodsDirectory, kubeletDirectory, logsDirectory];
  await Promise.all(directories.map(async (directory) => await mkdir(directory, { recursive: true })));
  await writeFile(kubeletConfigFile, JSON.stringify(config));
}

/** Two directories that no setting moves elsewhere; of a node of another cluster nothing is touched. */
export async function removeKubeletLeftovers(): Promise<void> {
  const links = '/var/log/containers';
  for (const name of await readdir(links).catch(() => [])) await removeOwnLink(join(links, name));
  await rmdir(links).catch(() => undefined);
  const plugins = '/var/lib/kubelet/device-plugins';
  const sockets = ['kubelet.sock', 'DEPRECATION', 'kubelet_internal_checkpoint'];
  for (const file of sockets) await rm(join(plugins, file), { force: true });
  for (const directory of [plugins, '/var/lib/kubelet']) await rmdir(directory).catch(() => undefined);
}

async function removeOwnLink(path: string): Promise<void> {
  const target = await readlink(path).catch(() => '');
  if (target.startsWith(`${logsDirectory}/`)) await rm(path);
}
