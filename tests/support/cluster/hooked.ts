// A program of a pod that says in the pod's log what it does, and hooks that say it there too: the order is seen from outside.
import { busybox } from '../docker/programs/busybox.ts';
import { until } from '../until.ts';
import { clusterImageOfProgram } from './image.ts';
import { podManifest, type Data, type Manifest } from './manifest.ts';
import type { Pod } from './pod.ts';

/** Of a shell: its traps are run at once. */
export const idle = 'while :; do /busybox sleep 0.05 & wait $!; done';

const program = `trap 'echo stopping; exit 0' TERM; echo started; ${idle}`;

/** A command of the container, as root: it writes to the log by the program's own standard output. */
export function command(script: string): Data {
  return { exec: { command: ['/busybox', 'sh', '-c', script] } };
}

export function says(words: string): string {
  return `echo ${words} >/proc/1/fd/1`;
}

export interface Around {
  readonly spec?: Data;
  readonly container?: Data;
}

export async function hooked(
  name: string,
  lifecycle: Data,
  { spec = {}, container = {} }: Around = {},
): Promise<Manifest> {
  return podManifest(
    name,
    {
      image: await clusterImageOfProgram(busybox),
      command: ['/busybox', 'sh', '-c', program],
      lifecycle,
      ...container,
    },
    spec,
  );
}

/** All that was said from the first start on, once `last` is there `times` times. */
export async function saidBy(pod: Pod, last: string, times = 1): Promise<readonly string[]> {
  const look = async (): Promise<readonly string[] | false> => {
    const lines = (await pod.logs()).split('\n');
    return lines.filter((line) => line === last).length >= times && lines;
  };
  return await until(`${pod.name} says ${last} ${times} times`, look, { timeoutMs: 90_000, pauseMs: 100 });
}
