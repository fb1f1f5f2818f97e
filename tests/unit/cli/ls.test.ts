import { describe, expect, it } from 'vitest';
import { formatAge } from '../../../src/cli/render/age.ts';
import { renderClusterList, type ClusterItem } from '../../../src/cli/render/cluster-list-text.ts';
import { renderList } from '../../../src/cli/render/list-text.ts';
import type { ListedTarget } from '../../../src/targets/list/list.ts';
import { runCli } from '../../support/cli.ts';
import { containerId } from '../../support/samples.ts';

const docker: ListedTarget = {
  kind: 'Target',
  target: 'docker/web',
  runtime: 'docker',
  id: containerId,
  pod: null,
  namespace: null,
  container: 'web',
  containerdNamespace: null,
  pid: 4711,
  program: ['nginx', '-g', 'daemon off;'],
  startedAt: '2026-11-26T12:00:00.000Z',
};
const pod: ListedTarget = {
  ...docker,
  target: 'cri/3f9a0c1d2e4b',
  runtime: 'containerd',
  pod: 'web-0',
  namespace: 'shop',
  container: '\u001b[2Japp',
  pid: 12,
  program: ['/usr/bin/fortio', 'server', '-M', '8070 http://fortio-server-l2:8080', '--log-level', 'debug'],
};
const now = new Date('2026-11-26T12:07:05.000Z');

describe('hotexec ls', () => {
  it('prints a table as kubectl does, and nothing that a terminal would obey', () => {
    expect(renderList([docker, pod], { isWide: false, now })).toBe(
      [
        'TARGET             POD     NAMESPACE   CONTAINER    PID    AGE    PROGRAM',
        String.raw`docker/web         -       -           web          4711   7m5s   nginx -g 'daemon off;'`,
        String.raw`cri/3f9a0c1d2e4b   web-0   shop        \x1b[2Japp   12     7m5s   /usr/bin/fortio server -M '8070 http://fortio-ser…`,
        '',
      ].join('\n'),
    );
  });

  it('has whole ids and commands when it may be wide', () => {
    const text = renderList([{ ...docker, containerdNamespace: 'default' }, pod], { isWide: true, now });
    expect(text).toContain(`docker (default)   ${containerId}   nginx`);
    expect(text).toContain("'8070 http://fortio-server-l2:8080' --log-level debug\n");
  });

  it.each([['-n', 'shop'], ['-A'], ['-l', 'app=web'], ['--context', 'prod'], ['--drift']])(
    'is for the machine: %s is for a cluster',
    async (...flags) => {
      const { exitCode, stdout, stderr } = await runCli(['ls', ...flags]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toContain('kubectl hotexec');
    },
  );
});

describe('kubectl hotexec ls', () => {
  const item: ClusterItem = {
    kind: 'Target',
    target: 'pod/web-0',
    namespace: 'shop',
    pod: 'web-0',
    container: 'app',
    image: 'registry.example.com/a-team/a-rather-long-name/web:1.2.3',
    node: 'node-1',
    id: `containerd://${containerId}`,
    restarts: 2,
    startedAt: '2026-11-26T12:00:00.000Z',
    ready: true,
    agent: { name: 'hotexec-0-1-0-1', state: 'running' },
    change: {
      verb: 'replace',
      at: '2026-11-26T12:05:05.000Z',
      operationId: '\u001b[2Jop',
      container: containerId,
    },
    drift: ['executable', 'arguments'],
  };
  const other: ClusterItem = { ...item, pod: 'web-1', node: null, agent: null, change: null, drift: null };
  const style = { isWide: false, allNamespaces: false, showDrift: false, now };

  it('prints a table of containers, and of images their end', () => {
    expect(renderClusterList([item, other], style)).toBe(
      [
        'POD     CONTAINER   IMAGE                                      NODE     RESTARTS   AGE    AGENT     CHANGED',
        'web-0   app         …com/a-team/a-rather-long-name/web:1.2.3   node-1   2          7m5s   running   replace 2m ago',
        'web-1   app         …com/a-team/a-rather-long-name/web:1.2.3   -        2          7m5s   -         -',
        '',
      ].join('\n'),
    );
  });

  it('has namespaces, whole images, ids, agents and drift where they are asked for, and nothing that a terminal would obey', () => {
    const text = renderClusterList([item, other], { isWide: true, allNamespaces: true, showDrift: true, now });
    expect(text).toMatch(/^NAMESPACE +POD +CONTAINER +IMAGE +NODE +ID +RESTARTS +AGE +AGENT +CHANGED +DRIFT\n/);
    expect(text).toContain(`${item.image}   node-1   containerd://${containerId}   2`);
    expect(text).toContain(String.raw`running (hotexec-0-1-0-1)   replace 2m ago (\x1b[2Jop)   executable, arguments`);
    expect(text).toMatch(/ unknown\n$/);
  });

  it.each([
    [['--runtime-endpoint', '/run/x.sock'], /for a machine.*\n.*On it: hotexec ls/s],
    [['-A', '-n', 'shop'], /-n names one namespace, and -A means all/],
    [['-A', '-q'], /-q prints pods without their namespaces/],
    [['-n', 'Not A Name'], /is not a name as Kubernetes has them/],
  ])('refuses %j before anything is asked', async (flags, says) => {
    const { exitCode, stderr } = await runCli(['ls', ...flags], { program: 'kubectl-hotexec' });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(says);
  });
});

it.each([
  [-5, '<invalid>'],
  [-1, '0s'],
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [125, '2m5s'],
  [600, '10m'],
  [10_799, '179m'],
  [10_800, '3h'],
  [11_000, '3h3m'],
  [28_800, '8h'],
  [172_799, '47h'],
  [172_800, '2d'],
  [180_000, '2d2h'],
  [691_200, '8d'],
  [63_072_000, '2y'],
  [63_200_000, '2y1d'],
  [252_288_000, '8y'],
])("says of %d s what kubectl's AGE says: %s", (seconds, age) => {
  expect(formatAge(seconds * 1000)).toBe(age);
});
