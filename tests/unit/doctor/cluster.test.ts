// What the doctor makes of what a cluster tells. Servers and nodes that are not at hand are told by their words alone; tests/cluster has a real one.
import { describe, expect, it } from 'vitest';
import { HotexecError } from '../../../src/errors.ts';
import { judgeLabels } from '../../../src/doctor/cluster/admission.ts';
import { memory, presence, waysOf } from '../../../src/doctor/cluster/agent.ts';
import { nodeFindings } from '../../../src/doctor/cluster/node.ts';
import { isNeeded, rightFinding, type RightsContext } from '../../../src/doctor/cluster/rights.ts';
import { ephemeralContainers } from '../../../src/doctor/cluster/server.ts';
import { beside, containerOf, probes, stateOf } from '../../../src/doctor/cluster/target.ts';
import { blocked, no, yes, type Finding } from '../../../src/doctor/finding.ts';
import { ApiError } from '../../../src/targets/kubernetes/api.ts';
import { rights } from '../../../src/targets/kubernetes/role.ts';
import type { Server } from '../../../src/targets/kubernetes/server.ts';
import { parseTarget, type ClusterTarget } from '../../../src/targets/target.ts';
import { firstOf, podOf, podWith, running } from '../targets/kubernetes/pods.ts';

describe('ephemeral containers', () => {
  it.each([
    [serverOf(34, true), 'yes', /^the agent can be one$/],
    [serverOf(25, null), 'yes', /^the agent can be one$/],
    [serverOf(24, true), 'unknown', /in Kubernetes v1\.24\.0 they are beta/],
    [serverOf(23, null), 'unknown', /beta, and may be switched off/],
    [serverOf(23, false), 'no', /Kubernetes v1\.23\.0 has none: they are switched on by default from 1\.23 on/],
    [serverOf(22, null), 'no', /has not those that hotexec uses: 1\.25 has/],
    // As an alpha their API was another one.
    [serverOf(22, true), 'no', /has not those that hotexec uses/],
    [serverOf(30, false), 'no', /its API server does not serve them/],
    [serverOf(null, null), 'unknown', /does not tell/],
    [serverOf(null, true), 'yes', /the agent can be one/],
    [serverOf(null, false), 'no', /this cluster has none/],
  ] as const)('of %j: %s', (server, verdict, meaning) => {
    const finding = ephemeralContainers(server);
    expect(finding).toMatchObject({ verdict, meaning: expect.stringMatching(meaning) as string });
    expect(finding.blocking).toBe(verdict === 'no');
    expect(finding.remedy ?? '').toContain(verdict === 'no' ? 'on the node, as root: hotexec restart PID' : '');
  });
});

describe('rights', () => {
  it.each([
    ['a namespace', asked(null, 34), []],
    ['a pod', asked('pod/web', 34), []],
    ['a server of 1.35', asked(null, 35), ['create pods/exec']],
    ['a server that does not tell its version', asked(null, null), ['create pods/exec']],
    ['a deployment', asked('deployment/web', 34), ['list pods', 'get deployments', 'list replicasets']],
    ['a stateful set', asked('statefulset/web', 34), ['list pods', 'get statefulsets']],
  ] as const)('that %s needs beside those of every pod', (_what, context, more) => {
    const always = ['get pods', 'patch pods/ephemeralcontainers', 'get pods/exec'];
    expect(needed(context).toSorted()).toEqual([...always, ...more].toSorted());
  });

  it('that labels need', () => {
    expect(needed(selected('pod'))).toContain('list pods');
    expect(needed(selected('pod'))).not.toContain('list daemonsets');
    expect(needed(selected('daemonset'))).toContain('list daemonsets');
    expect(needed(selected('daemonset'))).not.toContain('get daemonsets');
  });

  it('each has a way out, and only what is needed stands in the way', () => {
    const context = asked(null, 34);
    const findings = rights.map((right) => rightFinding({ right, allowed: 'no' }, context));
    expect(findings.filter(({ remedy }) => remedy === null)).toEqual([]);
    expect(findings.filter(({ blocking }) => blocking).map(({ subject }) => subject)).toEqual(needed(context));
    expect(findings.find(({ subject }) => subject === 'patch pods')?.remedy).not.toContain('the Role');
  });

  it('of a server that does not tell are not known, and nothing is blocked', () => {
    const findings = rights.map((right) => rightFinding({ right, allowed: 'unknown' }, asked(null, 34)));
    expect(new Set(findings.map(({ verdict }) => verdict))).toEqual(new Set(['unknown']));
  });
});

describe('Pod Security', () => {
  const enforce = 'pod-security.kubernetes.io/enforce';

  it.each([
    [{}, [['Pod Security', 'yes']]],
    [{ 'pod-security.kubernetes.io/warn': 'restricted' }, [['Pod Security', 'yes']]],
    [{ [enforce]: 'privileged' }, [['Pod Security', 'yes']]],
    [
      { [enforce]: 'baseline' },
      [
        ['Pod Security', 'yes'],
        ['agent: own user', 'yes'],
        ['agent: SYS_PTRACE', 'no'],
      ],
    ],
    [
      { [enforce]: 'restricted' },
      [
        ['Pod Security', 'yes'],
        ['agent: own user', 'yes'],
        ['agent: SYS_PTRACE', 'no'],
      ],
    ],
    [{ [enforce]: 'stricter' }, [['Pod Security', 'unknown']]],
  ])('%j', (labels, findings) => {
    expect(judgeLabels(labels).map(({ subject, verdict }) => [subject, verdict])).toEqual(findings);
  });
});

describe('a node', () => {
  const linux = { architecture: 'amd64', operatingSystem: 'linux' };

  it.each([
    [linux, 'yes', /^node-1 is of linux and amd64$/],
    [{ ...linux, architecture: 'arm64' }, 'no', /node node-1 is of architecture arm64/],
    [{ ...linux, operatingSystem: 'windows' }, 'no', /runs on Windows/],
    [null, 'unknown', /may not read nodes; of which system and CPU node-1 is/],
  ] as const)('that tells %j', (node, verdict, meaning) => {
    const [finding] = nodeFindings(podOf({ spec: { nodeName: 'node-1' } }), { node, handler: null });
    expect(finding).toMatchObject({ verdict, meaning: expect.stringMatching(meaning) as string });
    expect(finding?.blocking).toBe(verdict === 'no');
  });

  it.each([
    ['fast', 'runc', 'yes'],
    ['gvisor', 'runsc', 'no'],
    ['gvisor', null, 'no'],
    ['secure', 'kata-qemu', 'no'],
  ] as const)('with RuntimeClass %s of handler %s', (runtimeClassName, handler, verdict) => {
    const [, finding] = nodeFindings(podOf({ spec: { runtimeClassName } }), { node: linux, handler });
    expect(finding).toMatchObject({ subject: 'runtime', verdict });
    expect(finding?.remedy ?? '').toContain(verdict === 'no' ? '--force tries it' : '');
  });

  it('whose pod has a user namespace of its own', () => {
    const pod = podOf({ spec: { hostUsers: false } });
    const findings = nodeFindings(pod, { node: linux, handler: null });
    expect(findings.map(({ subject, verdict }) => [subject, verdict])).toContainEqual(['user namespace', 'yes']);
  });
});

describe('the agent', () => {
  it.each([
    [{ kind: 'none' } as const, /none is there; the first command puts one into the pod/],
    [{ kind: 'running', name: 'hotexec-1', access: { kind: 'ptrace-capability' } } as const, /^hotexec-1 runs$/],
    [{ kind: 'starting', name: 'hotexec-1', access: { kind: 'ptrace-capability' } } as const, /is being started/],
  ])('%j', (found, meaning) => {
    expect(presence(found)).toMatchObject({ verdict: 'yes', meaning: expect.stringMatching(meaning) as string });
  });

  it.each([
    [null, false, 'yes'],
    [128 * 2 ** 20, false, 'yes'],
    [64 * 2 ** 20, false, 'no'],
    // It lives already.
    [64 * 2 ** 20, true, 'yes'],
  ] as const)('and a memory limit of %s bytes', (limit, isThere, verdict) => {
    expect(memory(limit, isThere).verdict).toBe(verdict);
  });

  const own = { kind: 'same-user', uid: 1000, gid: 1000 } as const;
  const capable = { kind: 'ptrace-capability' } as const;
  const user = { uid: 1000, gid: 1000 };
  const refused = new HotexecError({
    code: 'not-permitted',
    message: 'pod/web-0: an admission of the cluster refuses the agent: no. Nothing was touched.',
    hint: 'Ask them.',
  });

  it('of its own user is enough, whatever is said of the other', () => {
    const way = { user, chosen: null, isThere: false };
    const findings = waysOf(
      [
        { access: own, refused: null },
        { access: capable, refused },
      ],
      way,
    );
    expect(findings).toMatchObject([
      { verdict: 'yes', meaning: "a dry run let it in: the program's own user, 1000:1000, without any capability" },
      {
        verdict: 'no',
        blocking: false,
        meaning: expect.stringMatching(/^it is for where .*, and refused: /) as string,
      },
    ]);
  });

  it('that is refused in every way stands in the way, unless one is there', () => {
    const tried = [
      { access: own, refused },
      { access: capable, refused },
    ];
    expect(waysOf(tried, { user, chosen: null, isThere: false }).map(({ blocking }) => blocking)).toEqual([true, true]);
    expect(waysOf(tried, { user, chosen: null, isThere: true }).map(({ blocking }) => blocking)).toEqual([
      false,
      false,
    ]);
  });

  it.each([
    [null, null, 'the API does not tell which user the program runs as'],
    [{ uid: 0, gid: 0 }, null, 'the program runs as root'],
    [user, { uid: 0, gid: 0 }, '--agent-user says so'],
  ])('with SYS_PTRACE says why: the program is %j, and %j was asked for', (program, chosen, why) => {
    const [finding] = waysOf([{ access: capable, refused: null }], { user: program, chosen, isThere: false });
    expect(finding?.meaning).toBe(`a dry run let it in: root with SYS_PTRACE alone, since ${why}`);
  });

  it.each([
    [null, '--agent-user UID:GID, as kubectl exec POD -- id shows them, or runAsUser in the pod'],
    [{ uid: 0, gid: 0 }, 'let the program run as another user (runAsUser), or use a namespace that admits the agent'],
  ])('that an admission refuses, of a program that is %j: the way out', (program, remedy) => {
    const message = 'pods "web-0" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities';
    const cause = new ApiError({ status: 403, reason: 'Forbidden', message });
    const psa = new HotexecError(refused.toData(), { cause });
    const findings = waysOf([{ access: capable, refused: psa }], { user: program, chosen: null, isThere: false });
    expect(findings).toMatchObject([{ blocking: true, remedy }]);
  });
});

describe('a pod', () => {
  it.each([
    ['runs', podOf(), /^it runs/],
    ['is pending', podOf({ status: { phase: 'Pending', reason: 'Unschedulable' } }), /is Pending \(Unschedulable\)/],
    ['is being deleted', podOf({ metadata: { deletionTimestamp: '2026-11-27T07:00:00Z' } }), /being deleted/],
    ['is static', podOf({ metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }), /static pod/],
    ['is of Windows', podOf({ spec: { os: { name: 'windows' } } }), /hotexec is for Linux/],
  ])('that %s', (what, pod, meaning) => {
    const finding = stateOf(pod);
    expect(finding.meaning).toMatch(meaning);
    expect(finding.blocking).toBe(what !== 'runs');
    expect(finding.remedy === null).toBe(what === 'runs');
    expect(finding.meaning).not.toContain('Nothing was touched');
  });

  it('of several containers: which is meant, or that it must be said', () => {
    const spec = { containers: [{ name: 'app' }, { name: 'log' }] };
    const pod = podOf({ spec, status: { containerStatuses: [running('app'), running('log')] } });
    expect(containerOf(pod, null)).toMatchObject({ container: null, finding: { blocking: true } });
    const { finding } = containerOf(pod, 'log');
    expect(finding).toEqual(yes('container', 'log runs, since 2026-11-27T07:00:00Z; beside it: app'));
    const waiting = podOf({
      status: { containerStatuses: [{ name: 'app', state: { waiting: { reason: 'PodInitializing' } } }] },
    });
    expect(containerOf(waiting, null)).toMatchObject({
      finding: { blocking: true, remedy: 'kubectl describe pod/web-0 says more' },
    });
  });

  it('whose liveness probe does not survive a restart without flags', () => {
    const impatient = podWith(
      { livenessProbe: { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 1 } },
      { spec: { terminationGracePeriodSeconds: 60 } },
    );
    const container = firstOf(impatient);
    expect(probes({ pod: impatient, container })).toMatchObject({ verdict: 'no', blocking: false });
    expect(probes({ pod: podOf(), container: firstOf(podOf()) }).verdict).toBe('yes');
  });

  it('of a workload says only what the first one does not', () => {
    const first = podOf();
    const other = podOf({ metadata: { name: 'web-1' } });
    const ofFirst: readonly Finding[] = [yes('pod', 'it runs'), no('memory', 'little', 'more')];
    expect(beside({ pod: other, findings: ofFirst }, ofFirst, first)).toEqual([yes('web-1', 'as web-0')]);
    const findings = [blocked('pod', 'it is over', 'another')];
    expect(beside({ pod: other, findings }, ofFirst, first)).toEqual([blocked('web-1', 'pod: it is over', 'another')]);
  });
});

function serverOf(minor: number | null, hasEphemeralContainers: boolean | null): Server {
  const version = minor === null ? null : { major: 1, minor, text: `v1.${minor}.0` };
  return { version, hasEphemeralContainers };
}

function asked(target: string | null, minor: number | null): RightsContext {
  return {
    target: target === null ? null : (parseTarget(target) as ClusterTarget),
    version: serverOf(minor, true).version,
  };
}

function selected(type: 'pod' | 'daemonset'): RightsContext {
  return { target: { kind: 'selected', type, selector: 'app=web' }, version: null };
}

function needed(context: RightsContext): readonly string[] {
  return rights.filter((right) => isNeeded(right, context)).map(({ verb, resource }) => `${verb} ${resource}`);
}
