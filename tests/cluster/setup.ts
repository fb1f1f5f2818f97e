// Before each test file: a cluster, if this machine can have one, for as long as the test run lasts.
import { clusterEnvironment } from '../support/cluster/kubectl.ts';
import { useCluster } from '../support/cluster/machine/cluster.ts';
import { missingParts } from '../support/cluster/machine/parts.ts';
import { runVariable } from '../support/docker/container.ts';

if (missingParts().length === 0) await useCluster(Number(process.env[runVariable]));
Object.assign(process.env, clusterEnvironment);
