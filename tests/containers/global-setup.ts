// Before the first container test: a Docker daemon, if this machine can have one. After the last: what they left is removed.
import { runVariable } from '../support/docker/container.ts';
import { provideDaemon, removeLeftContainers } from '../support/docker/daemon.ts';
import { dockerAnswers } from '../support/docker/docker.ts';

export default async function setup(): Promise<() => Promise<void>> {
  const daemon = await provideDaemon();
  process.env[runVariable] = String(process.pid);
  return async () => {
    if (await dockerAnswers()) await removeLeftContainers();
    await daemon[Symbol.asyncDispose]();
  };
}
