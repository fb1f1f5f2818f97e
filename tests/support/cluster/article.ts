// The article's StatefulSet: fortio-server-l2, two replicas, with the program where the article has it.
import { findCommand } from '../docker/find-command.ts';
import { hostFile } from '../docker/rootfs.ts';
import { clusterImageOf } from './image.ts';
import { applyFile } from './manifest.ts';
import type { Pod } from './pod.ts';
import { podsWith, rolledOut } from './workload.ts';

/** Both pods are ready; the first has the ordinal 0. */
export async function startArticle(namespace: string): Promise<Pod[]> {
  await applyFile(namespace, 'fortio-server-l2.yaml', { FORTIO: await imageWithFortio() });
  await rolledOut(namespace, 'statefulset/fortio-server-l2');
  return await podsWith(namespace, 'app=fortio-server-l2');
}

async function imageWithFortio(): Promise<string> {
  return await clusterImageOf({
    name: 'fortio-server-l2',
    files: [await hostFile(await findCommand('fortio'), '/usr/bin/fortio')],
    entrypoint: ['/usr/bin/fortio'],
  });
}
