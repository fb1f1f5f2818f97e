// In a real cluster of one node: a restart by an agent that is there, the first one, and an upload, beside what kubectl itself takes.
// Left out where that cluster has not been built (npm run test:cluster).
import { randomBytes } from 'node:crypto';
import { closeSync, copyFileSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { agentImage } from '../tests/support/cluster/agent-image.ts';
import { clusterImageOfProgram } from '../tests/support/cluster/image.ts';
import { clusterEnvironment, kubectl } from '../tests/support/cluster/kubectl.ts';
import { leaveCluster, useCluster } from '../tests/support/cluster/machine/cluster.ts';
import { missingParts } from '../tests/support/cluster/machine/parts.ts';
import { programsDirectory } from '../tests/support/cluster/machine/places.ts';
import { apply, podManifest, readyByHttp } from '../tests/support/cluster/manifest.ts';
import { findCommand } from '../tests/support/docker/find-command.ts';
import { fortio } from '../tests/support/docker/programs/fortio.ts';
import type { Comparison, Rounds } from './comparison.ts';
import { timed, type Programs } from './programs.ts';
import { interleave } from './statistics.ts';

const hotexec = join(import.meta.dirname, '../bin/hotexec');
const paddingMib = 64;
const port = 8080;

export async function cluster(programs: Programs, { few }: Rounds): Promise<readonly Comparison[]> {
  const missing = missingParts();
  if (missing.length > 0) {
    console.error(`not measured in a cluster: ${missing.join(', ')}`);
    return [];
  }
  await useCluster(process.pid);
  try {
    return await inNamespace(await clusterImageOfProgram(fortio), { programs, few });
  } finally {
    await leaveCluster(process.pid);
  }
}

interface Means {
  readonly programs: Programs;
  readonly few: number;
}

async function inNamespace(image: string, means: Means): Promise<readonly Comparison[]> {
  Object.assign(process.env, clusterEnvironment, { HOTEXEC_AGENT_IMAGE: await agentImage() });
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  await kubectl('create', 'namespace', namespace);
  try {
    const pods = new Pods(namespace, image);
    return [await restarts(pods, means), await firstUse(pods, means), await upload(pods, means)];
  } finally {
    await kubectl('delete', 'pods', '--all', '--namespace', namespace, '--grace-period=1');
    await kubectl('delete', 'namespace', namespace, '--wait=false');
  }
}

class Pods {
  readonly namespace: string;
  readonly #image: string;
  #count = 0;

  constructor(namespace: string, image: string) {
    this.namespace = namespace;
    this.#image = image;
  }

  /** Its name; it is ready. */
  async start(): Promise<string> {
    this.#count += 1;
    return this.again(`fortio-${this.#count}`);
  }

  async again(name: string): Promise<string> {
    await apply(this.namespace, podManifest(name, { image: this.#image, ...readyByHttp('/fortio/', port) }));
    await kubectl('wait', '--for=condition=Ready', `pod/${name}`, '--namespace', this.namespace, '--timeout=60s');
    return name;
  }

  hotexec(command: string, pod: string, ...flags: readonly string[]): number {
    return timed(hotexec, command, `pod/${pod}`, '--namespace', this.namespace, '-q', ...flags);
  }
}

/** The whole command, until the new program listens. */
async function restarts(pods: Pods, { few }: Means): Promise<Comparison> {
  const pod = await pods.start();
  pods.hotexec('restart', pod);
  const { ours, other } = await interleave(few, {
    ours: () => pods.hotexec('restart', pod),
    other: () =>
      timed(join(programsDirectory, 'kubectl'), 'exec', '--namespace', pods.namespace, pod, '--', '/fortio', 'version'),
  });
  return {
    what: 'a pod restarted, its agent is there',
    ours,
    other: { name: 'kubectl exec of a program that ends', summary: other },
    limits: [{ kind: 'at-most', value: 500 }],
  };
}

/** The agent is put into the pod and started, its image being on the node. */
async function firstUse(pods: Pods, { few }: Means): Promise<Comparison> {
  const { ours, other } = await interleave(Math.min(few, 5), {
    ours: async () => pods.hotexec('restart', await pods.start()),
    other: async () => {
      const pod = await pods.start();
      const startedMs = performance.now();
      await kubectl('delete', 'pod', pod, '--namespace', pods.namespace);
      await pods.again(pod);
      return performance.now() - startedMs;
    },
  });
  return {
    what: 'a pod restarted, for the first time',
    ours,
    other: { name: 'kubectl delete pod, until it is ready again', summary: other },
    limits: [{ kind: 'at-most', value: 2500 }],
  };
}

/** The same program with bytes behind it that no packing makes smaller; sent, checked, written, started. */
async function upload(pods: Pods, { programs, few }: Means): Promise<Comparison> {
  const pod = await pods.start();
  const large = join(programs.directory, 'fortio-large');
  copyFileSync(await findCommand('fortio'), large);
  const fd = openSync(large, 'a');
  for (let written = 0; written < paddingMib; written++) writeSync(fd, randomBytes(1024 * 1024));
  closeSync(fd);
  const sizeBytes = statSync(large).size;
  pods.hotexec('replace', pod, '--with', large);
  const { ours, other } = await interleave(Math.min(few, 5), {
    ours: () => pods.hotexec('replace', pod, '--with', large),
    other: () => pods.hotexec('restart', pod),
  });
  return {
    what: `a pod's program replaced by a file of ${Math.round(sizeBytes / 2 ** 20)} MiB`,
    ours,
    other: { name: 'the same pod restarted', summary: other },
    // 20 MB a second.
    limits: [{ kind: 'over', value: sizeBytes / 20_000 }],
  };
}
