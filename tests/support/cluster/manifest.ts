// Objects of Kubernetes as tests write them: plain data, with defaults that suit a test.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubectlWithInput } from './kubectl.ts';

export type Data = Readonly<Record<string, unknown>>;

/** Of a container: as Pod Security `restricted` wants it, but for the user. */
export const restrictedSecurity: Data = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

export interface Manifest extends Data {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Data & { readonly name: string };
}

/** A pod with a container `app`; `spec` adds to the pod's specification or takes the place of what is there. */
export function podManifest(name: string, container: Data, spec: Data = {}): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 2, containers: [{ name: 'app', ...container }], ...spec },
  };
}

/** Ready as soon as it answers: looked at every second. */
export function readyByHttp(path: string, port: number): Data {
  return { readinessProbe: { httpGet: { path, port }, periodSeconds: 1 } };
}

export async function apply(namespace: string, ...manifests: readonly Manifest[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: manifests };
  await kubectlWithInput(['apply', '--namespace', namespace, '--filename', '-'], JSON.stringify(list));
}

/** A file of tests/fixtures/cluster; `$NAME` in it is replaced by the value of that name. */
export async function applyFile(
  namespace: string,
  file: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const text = await readFile(join(import.meta.dirname, '../../fixtures/cluster', file), 'utf8');
  const filled = text.replaceAll(/\$([A-Z_]+)/g, (all, name: string) => values[name] ?? all);
  await kubectlWithInput(['apply', '--namespace', namespace, '--filename', '-'], filled);
}
