// A load from a pod on another: fortio's own client, eight connections, so many seconds.
import { fortioArgs, fortioRunIn, type FortioLoad, type FortioRun } from '../docker/load-tools.ts';
import type { Pod } from './pod.ts';

/** In the container `app` of a pod whose program is fortio, at /fortio. */
export async function fortioLoadFrom(client: Pod, url: string, options: FortioLoad): Promise<FortioRun> {
  return fortioRunIn(await client.exec('/fortio', ...fortioArgs(url, options)));
}
