// Before each test file: a cluster, if this machine can have one, for as long as the test run lasts, and its own kubectl on PATH.
import { clusterEnvironment } from '../support/cluster/kubectl.ts';
import { useCluster } from '../support/cluster/machine/cluster.ts';
import { missingParts } from '../support/cluster/machine/parts.ts';
import { programsDirectory } from '../support/cluster/machine/places.ts';
import { runVariable } from '../support/docker/container.ts';

if (missingParts().length === 0) await useCluster(Number(process.env[runVariable]));
Object.assign(process.env, clusterEnvironment, { PATH: `${programsDirectory}:${process.env['PATH'] ?? ''}` });
