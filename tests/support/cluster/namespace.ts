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
      await kubectl('delete', 'namespace', name, '--wait=false');
      await kubectl('delete', 'pods', '--all', '--namespace', name, '--grace-period=1', '--wait=false');
      const isGone = async (): Promise<boolean> => (await apiGet(`/api/v1/namespaces/${name}`)).status === 404;
      await until(`namespace ${name} is gone`, isGone, { timeoutMs: 90_000, pauseMs: 50 });
    },
  };
}
