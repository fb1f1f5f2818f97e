// The cluster of this machine: started for whoever comes first, shared by all who come while it runs, ended with the last.
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile } from '../../kernel/compile.ts';
import { hostFile } from '../../docker/rootfs.ts';
import { until } from '../../until.ts';
import { pack } from '../archive.ts';
import { importImage } from '../image.ts';
import { apiGet } from './api.ts';
import { makeCertificates } from './certificates.ts';
import { apiServer, controllers, etcd, kubelet } from './components.ts';
import { answers, pidOf, start, stop, type Daemon } from './daemons.ts';
import { rememberKernelSettings, restoreKernelSettings } from './kernel-settings.ts';
import { removeKubeletLeftovers, writeKubeletConfig } from './kubelet-config.ts';
import { lock } from './lock.ts';
import { unmountBelow } from './mounts.ts';
import { makeNetwork, removeNetwork } from './network.ts';
import { missingParts } from './parts.ts';
import { dataDirectory, etcdUrl, nodeName, runDirectory, sandboxImage } from './places.ts';
import { containerd, killContainers, runtimeAnswers, writeRuntimeConfig } from './runtime.ts';

const lockFile = `${runDirectory}.lock`;
const usersDirectory = `${runDirectory}.users`;
const daemons: readonly Daemon[] = [etcd, containerd, apiServer, ...controllers, kubelet];

/** The user of a cluster that is to stay when nobody needs it. */
export const nobody = 1;

/** For the process of that pid there is a cluster with a node that is ready, until it leaves or ends. */
export async function useCluster(user: number): Promise<void> {
  const missing = missingParts();
  if (missing.length > 0) throw new Error(`no cluster can be started here: ${missing.join(', ')}`);
  await using _ = await lock(lockFile);
  await mkdir(usersDirectory, { recursive: true });
  await writeFile(join(usersDirectory, String(user)), '');
  if (await isServing()) return;
  await tearDown();
  await bringUp();
}

/** The cluster ends when no living process uses it any more. */
export async function leaveCluster(user: number): Promise<void> {
  await using _ = await lock(lockFile);
  await rm(join(usersDirectory, String(user)), { force: true });
  for (const other of await readdir(usersDirectory).catch(() => [])) {
    if (existsSync(`/proc/${other}`)) return;
    await rm(join(usersDirectory, other));
  }
  await tearDown();
  await rm(usersDirectory, { recursive: true, force: true });
}

/** Tests take the API server away and give it back. */
export async function stopApiServer(): Promise<void> {
  await stop(apiServer, 1_000);
}

export async function startApiServer(): Promise<void> {
  if (pidOf(apiServer) === undefined) await start(apiServer);
  await answers(apiServer, apiIsReady);
}

async function bringUp(): Promise<void> {
  await Promise.all(
    [runDirectory, dataDirectory].map(async (path) => await mkdir(path, { recursive: true, mode: 0o711 })),
  );
  rememberKernelSettings();
  await Promise.all([makeNetwork(), makeCertificates(), writeRuntimeConfig(), writeKubeletConfig()]);
  await Promise.all([bringUpRuntime(), bringUpApi()]);
  await Promise.all([...controllers, kubelet].map(start));
  await answers(kubelet, nodeIsReady);
}

async function bringUpRuntime(): Promise<void> {
  await start(containerd);
  await answers(containerd, runtimeAnswers);
  const program = compile('pause', { directory: 'servers', flags: ['-static', '-s'] });
  const image = await pack({ name: 'pause', files: [await hostFile(program, '/pause')], entrypoint: ['/pause'] });
  await importImage(sandboxImage, image.as(sandboxImage));
}

async function bringUpApi(): Promise<void> {
  await start(etcd);
  await answers(etcd, async () => (await fetch(`${etcdUrl}/health`)).ok);
  await startApiServer();
}

async function tearDown(): Promise<void> {
  // The kubelet first: it would start again what ends.
  for (const daemon of [kubelet, ...controllers, apiServer, etcd]) await stop(daemon);
  await killContainers();
  await stop(containerd);
  await removeNetwork();
  await Promise.all([runDirectory, dataDirectory].map(unmountBelow));
  restoreKernelSettings();
  await removeKubeletLeftovers();
  await Promise.all(
    [runDirectory, dataDirectory].map(async (path) => await rm(path, { recursive: true, force: true })),
  );
}

// A test may just have taken the API server away: it comes back in a moment.
async function isServing(): Promise<boolean> {
  if (daemons.some((daemon) => daemon !== apiServer && pidOf(daemon) === undefined)) return false;
  return await until('the cluster serves', async () => (await apiIsReady()) && (await nodeIsReady()), {
    timeoutMs: 30_000,
    pauseMs: 50,
  }).catch(() => false);
}

async function apiIsReady(): Promise<boolean> {
  return (await apiGet('/readyz')).status === 200;
}

// Without its service account no pod can be made in a namespace.
async function nodeIsReady(): Promise<boolean> {
  const account = await apiGet('/api/v1/namespaces/default/serviceaccounts/default');
  const { status, body } = await apiGet(`/api/v1/nodes/${nodeName}`);
  if (account.status !== 200 || status !== 200) return false;
  const node = JSON.parse(body) as { status: { conditions?: readonly { type: string; status: string }[] } };
  return (
    node.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
  );
}
