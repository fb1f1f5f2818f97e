// A namespace for the tests of a file or of one test; all that is in it goes with it.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { until } from '../until.ts';
import { kubectl, kubectlWithInput } from './kubectl.ts';
import { apiGet } from './machine/api.ts';
import { missingParts } from './machine/parts.ts';

export interface Namespace {
  readonly name: string;
}

/** Labels as `{ 'pod-security.kubernetes.io/enforce': 'restricted' }`. */
export type Labels = Readonly<Record<string, string>>;

const makersOfPods = 'deployments,statefulsets,daemonsets,replicasets,cronjobs,jobs';

/** For all tests of the file or of the describe block; its name is known in the tests and hooks. */
export function namespaceForTests(labels: Labels = {}): Namespace {
  let made: (Namespace & AsyncDisposable) | undefined;
  beforeAll(async () => {
    // needs('cluster') says so in each test.
    if (missingParts().length === 0) made = await makeNamespace(labels);
  });
  afterAll(async () => await made?.[Symbol.asyncDispose]());
  return {
    get name() {
      if (made === undefined) throw new Error('there is no namespace outside a test');
      return made.name;
    },
  };
}

export async function makeNamespace(labels: Labels = {}): Promise<Namespace & AsyncDisposable> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await kubectlWithInput(['create', '--filename', '-'], JSON.stringify(manifest));
  // No pod can be made before it.
  const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  await until(`${account} is there`, async () => (await apiGet(account)).status === 200, { pauseMs: 20 });
  return {
    name,
    async [Symbol.asyncDispose]() {
      // What makes pods first. The namespace itself waits five seconds before it goes, and is in nobody's way.
      const all = ['--all', '--namespace', name];
      await kubectl('delete', makersOfPods, ...all, '--cascade=orphan');
      await kubectl('delete', 'pods', ...all, '--grace-period=1', '--timeout=60s');
      await kubectl('delete', 'namespace', name, '--wait=false');
    },
  };
}
