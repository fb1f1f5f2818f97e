import { describe, expect, it } from 'vitest';
import {
  accessesFor,
  agentContainer,
  findAgent,
  nextAgentName,
  programUser,
  type Access,
} from '../../../../src/targets/kubernetes/agent-container.ts';
import type { Pod } from '../../../../src/targets/kubernetes/pod.ts';
import { firstOf, podOf, podWith, running } from './pods.ts';

const capability: Access = { kind: 'ptrace-capability' };
const sameUser: Access = { kind: 'same-user', uid: 1234, gid: 77 };

describe('programUser', () => {
  it.each<[what: string, pod: Pod, user: unknown]>([
    ['nothing is said', podOf(), null],
    ['the container says', podWith({ securityContext: { runAsUser: 1, runAsGroup: 2 } }), { uid: 1, gid: 2 }],
    ['the pod says', podOf({ spec: { securityContext: { runAsUser: 3 } } }), { uid: 3, gid: null }],
    [
      'both say: the container',
      podWith({ securityContext: { runAsUser: 1 } }, { spec: { securityContext: { runAsUser: 3, runAsGroup: 4 } } }),
      { uid: 1, gid: 4 },
    ],
    [
      'the runtime tells who it really is',
      podWith(
        { securityContext: { runAsUser: 1 } },
        { status: { containerStatuses: [running('app', { user: { linux: { uid: 5, gid: 6 } } })] } },
      ),
      { uid: 5, gid: 6 },
    ],
  ])('%s', (_what, pod, user) => {
    expect(programUser(pod, firstOf(pod))).toEqual(user);
  });
});

describe('accessesFor', () => {
  it.each([
    [null, null, [capability]],
    [{ uid: 0, gid: 0 }, null, [capability]],
    [{ uid: 1234, gid: 77 }, null, [sameUser, capability]],
    // What is asked for, and nothing else.
    [{ uid: 1, gid: 1 }, { uid: 1234, gid: 77 }, [sameUser]],
    [{ uid: 1, gid: 1 }, { uid: 0, gid: null }, [capability]],
  ] as const)('for %j, where %j is asked for', (user, wanted, accesses) => {
    expect(accessesFor(user, wanted)).toEqual(accesses);
  });
});

describe('agentContainer', () => {
  const wanted = { container: firstOf(podOf()), version: '0.1.0', image: 'agent:1', ttlSeconds: 900 };
  const always = {
    privileged: false,
    allowPrivilegeEscalation: false,
    seccompProfile: { type: 'RuntimeDefault' },
  };

  it('of the same user has no capability', () => {
    expect(agentContainer('hotexec-0-1-0-1', sameUser, wanted)).toEqual({
      name: 'hotexec-0-1-0-1',
      image: 'agent:1',
      imagePullPolicy: 'IfNotPresent',
      command: ['hotexec', 'agent', 'serve', '--ttl', '900s'],
      targetContainerName: 'app',
      terminationMessagePolicy: 'FallbackToLogsOnError',
      securityContext: {
        ...always,
        runAsUser: 1234,
        runAsGroup: 77,
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
      },
    });
  });

  it('of root has one', () => {
    expect(agentContainer('x', capability, wanted)).toMatchObject({
      securityContext: {
        ...always,
        runAsUser: 0,
        runAsGroup: 0,
        runAsNonRoot: false,
        capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] },
      },
    });
  });

  it('gets the AppArmor profile and the SELinux label of the program', () => {
    const appArmorProfile = { type: 'Localhost', localhostProfile: 'web' };
    const seLinuxOptions = { level: 's0:c1,c2' };
    const container = firstOf(podWith({ securityContext: { appArmorProfile, seLinuxOptions } }));
    const made = agentContainer('x', sameUser, { ...wanted, container });
    expect(made).toMatchObject({ securityContext: { appArmorProfile, seLinuxOptions } });
  });
});

describe('findAgent', () => {
  const like = { container: firstOf(podOf()), version: '0.1.0', image: null, gone: new Set<string>() };

  it('takes one that runs', () => {
    const pod = withAgents([agent('hotexec-0-1-0-3')], [running('hotexec-0-1-0-3')]);
    expect(findAgent(pod, like, [capability])).toEqual({
      kind: 'running',
      name: 'hotexec-0-1-0-3',
      access: capability,
    });
  });

  it('prefers one that runs to one that is on its way', () => {
    const pod = withAgents([agent('hotexec-0-1-0-1'), agent('hotexec-0-1-0-2')], [running('hotexec-0-1-0-2')]);
    expect(findAgent(pod, like, [capability])).toMatchObject({ kind: 'running', name: 'hotexec-0-1-0-2' });
    expect(findAgent(withAgents([agent('hotexec-0-1-0-1')], []), like, [capability])).toMatchObject({
      kind: 'starting',
    });
  });

  it.each([
    ['that has ended', agent('hotexec-0-1-0-1'), [ended('hotexec-0-1-0-1')]],
    ['of another version', agent('hotexec-0-2-0-1'), [running('hotexec-0-2-0-1')]],
    ['of another container', agent('hotexec-0-1-0-1', { targetContainerName: 'x' }), [running('hotexec-0-1-0-1')]],
    ['of another user', agent('hotexec-0-1-0-1', { securityContext: { runAsUser: 9 } }), [running('hotexec-0-1-0-1')]],
    ['of somebody else', agent('debugger-1'), [running('debugger-1')]],
  ])('takes none %s', (_what, one, statuses) => {
    expect(findAgent(withAgents([one], statuses), like, [sameUser, capability])).toEqual({ kind: 'none' });
  });

  it('takes none that is known to have ended, whatever the API server still says', () => {
    const pod = withAgents([agent('hotexec-0-1-0-1')], [running('hotexec-0-1-0-1')]);
    expect(findAgent(pod, { ...like, gone: new Set(['hotexec-0-1-0-1']) }, [capability])).toEqual({ kind: 'none' });
  });

  it('takes one of another image only where none is asked for', () => {
    const pod = withAgents([agent('hotexec-0-1-0-1')], [running('hotexec-0-1-0-1')]);
    expect(findAgent(pod, { ...like, image: 'agent:2' }, [capability])).toEqual({ kind: 'none' });
    expect(findAgent(pod, { ...like, image: 'agent:1' }, [capability])).toMatchObject({ kind: 'running' });
  });

  it('numbers the next one over all that there were', () => {
    expect(nextAgentName(podOf(), '0.1.0')).toBe('hotexec-0-1-0-1');
    const pod = withAgents([agent('hotexec-0-0-9-7'), agent('hotexec-0-1-0-2'), agent('debugger-99')], []);
    expect(nextAgentName(pod, '0.1.0')).toBe('hotexec-0-1-0-8');
    expect(nextAgentName(pod, '1.0.0-rc.1+x')).toBe('hotexec-1-0-0-rc-1-x-8');
  });
});

function agent(name: string, more: object = {}): object {
  return {
    name,
    image: 'agent:1',
    targetContainerName: 'app',
    securityContext: { runAsUser: 0, capabilities: { add: ['SYS_PTRACE'] } },
    ...more,
  };
}

function withAgents(agents: readonly object[], statuses: readonly object[]): Pod {
  return podOf({ spec: { ephemeralContainers: agents }, status: { ephemeralContainerStatuses: statuses } });
}

function ended(name: string): object {
  return { name, state: { terminated: { exitCode: 0 } } };
}
