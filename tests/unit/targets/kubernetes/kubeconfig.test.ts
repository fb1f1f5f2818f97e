import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCluster, type ClusterChoice } from '../../../../src/targets/kubernetes/kubeconfig.ts';
import { tempDirectory } from '../../../support/temp.ts';

const asItIs: ClusterChoice = { kubeconfig: null, context: null, namespace: null, as: null, asGroups: [] };

/** One cluster, user and context of that name. */
function config(
  name: string,
  more: { readonly namespace?: string; readonly current?: string; readonly user?: object } = {},
): string {
  const { namespace, current = name, user = { token: `token-of-${name}` } } = more;
  const file = join(tempDirectory(), 'config');
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'shared', cluster: { server: `https://${name}.example:6443/` } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: 'shared', user: name, ...(namespace === undefined ? {} : { namespace }) } }],
    'current-context': current,
  };
  writeFileSync(file, JSON.stringify(document));
  return file;
}

describe('loadCluster', () => {
  it('takes the current context of the file', async () => {
    const { server, namespace, credentials } = await loadCluster(
      { ...asItIs, kubeconfig: config('a', { namespace: 'shop' }) },
      {},
    );
    expect({ server, namespace }).toEqual({ server: 'https://a.example:6443', namespace: 'shop' });
    expect((await credentials()).headers).toMatchObject({ Authorization: 'Bearer token-of-a' });
  });

  it('merges a list as kubectl does: what stands first counts, and what is missing is passed over', async () => {
    const KUBECONFIG = ['/nowhere/config', config('a', { namespace: 'shop' }), config('b')].join(':');
    const first = await loadCluster(asItIs, { KUBECONFIG });
    expect(first).toMatchObject({ server: 'https://a.example:6443', namespace: 'shop' });
    const second = await loadCluster({ ...asItIs, context: 'b' }, { KUBECONFIG });
    expect(second).toMatchObject({ server: 'https://a.example:6443', namespace: 'default' });
    expect((await second.credentials()).headers).toMatchObject({ Authorization: 'Bearer token-of-b' });
  });

  it('logs in by the program that the file names', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-the-program' },
    };
    const exec = {
      apiVersion: credential.apiVersion,
      command: '/bin/echo',
      args: [JSON.stringify(credential)],
      interactiveMode: 'Never',
    };
    const { credentials } = await loadCluster({ ...asItIs, kubeconfig: config('a', { user: { exec } }) }, {});
    expect((await credentials()).headers).toMatchObject({ Authorization: 'Bearer from-the-program' });
  });

  it('asks as another user, and for another namespace', async () => {
    const choice = { ...asItIs, kubeconfig: config('a'), namespace: 'other', as: 'jane', asGroups: ['ops', 'dev'] };
    const { namespace, credentials } = await loadCluster(choice, {});
    expect(namespace).toBe('other');
    expect((await credentials()).headers).toMatchObject({
      'Impersonate-User': 'jane',
      'Impersonate-Group': ['ops', 'dev'],
    });
  });

  it.each([
    [async () => loadCluster({ ...asItIs, kubeconfig: '/nowhere/config' }, {}), 'usage', /there is no such file here/],
    [async () => loadCluster(asItIs, { HOME: '/nowhere' }), 'runtime-unreachable', /There is no kubeconfig/],
    [
      async () => loadCluster({ ...asItIs, kubeconfig: config('a'), context: 'c' }, {}),
      'target-not-found',
      /no context "c"/,
    ],
    [
      async () => loadCluster({ ...asItIs, kubeconfig: config('a', { current: '' }) }, {}),
      'runtime-unreachable',
      /no current context/,
    ],
  ])('refuses %#', async (loading, code, message) => {
    await expect(loading()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  it('refuses a file that is none', async () => {
    const file = join(tempDirectory(), 'config');
    writeFileSync(file, '{ no: [');
    await expect(loadCluster({ ...asItIs, kubeconfig: file }, {})).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/cannot be read/) as string,
    });
  });
});
