// A container that ctr has started: known to containerd alone.
import { httpGet } from '../docker/talk.ts';
import { until } from '../until.ts';
import type { Containerd } from './daemon.ts';
import { freePort } from './port.ts';

export interface RunContainer extends AsyncDisposable {
  readonly id: string;
  readonly namespace: string;
  readonly pid: number;
  /** What the program says of this run. */
  readonly ask: () => Promise<string>;
}

export async function runContainer(
  containerd: Containerd,
  {
    id,
    namespace,
    labels = [],
  }: { readonly id: string; readonly namespace: string; readonly labels?: readonly string[] },
): Promise<RunContainer> {
  const image = await containerd.image(namespace);
  const port = await freePort();
  const flags = ['--detach', '--net-host', '--env', `PORT=${port}`, ...labels.flatMap((label) => ['--label', label])];
  const remove = async (): Promise<void> => {
    await containerd.ctr(namespace, 'tasks', 'delete', '--force', id).catch(() => '');
    await containerd.ctr(namespace, 'containers', 'delete', id);
  };
  await containerd.ctr(namespace, 'run', ...flags, image, id);
  const ask = async (): Promise<string> => await until(`${id} answers`, async () => await httpGet('127.0.0.1', port));
  try {
    await ask();
    return { id, namespace, pid: await pidOf(containerd, { id, namespace }), ask, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function pidOf({ ctr }: Containerd, { id, namespace }: Pick<RunContainer, 'id' | 'namespace'>): Promise<number> {
  const tasks = await ctr(namespace, 'tasks', 'list');
  const line = tasks.split('\n').find((each) => each.split(/\s+/)[0] === id);
  return Number(line?.split(/\s+/)[1]);
}
