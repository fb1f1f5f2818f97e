// The cluster is started by the first test file that needs one (setup.ts): while other tests run it would only be in their way.
// It is left when all are done.
import { runVariable } from '../support/docker/container.ts';
import { leaveCluster } from '../support/cluster/machine/cluster.ts';
import { missingParts } from '../support/cluster/machine/parts.ts';

export default function setup(): () => Promise<void> {
  process.env[runVariable] = String(process.pid);
  return async () => {
    if (missingParts().length === 0) await leaveCluster(process.pid);
  };
}
