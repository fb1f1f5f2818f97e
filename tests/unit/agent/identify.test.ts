import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/agent/evidence.ts';
import { identify } from '../../../src/agent/identify.ts';
import { HotexecError } from '../../../src/errors.ts';
import type { AgentTarget } from '../../../src/protocol/agent.ts';
import { agent, agentTarget, app, mountsOf, otherApp, pause } from '../../support/pod-processes.ts';
import { writeProc, type FakeProcess } from '../../support/proc-tree.ts';
import { containerId } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';

const ownStartMs = Date.parse('2026-11-27T10:00:40Z');

function found(processes: readonly FakeProcess[], target: AgentTarget = agentTarget, ownPid = agent.pid): unknown {
  const proc = writeProc(tempDirectory(), processes);
  try {
    return identify(target, { proc, ownPid, ownStartMs });
  } catch (error) {
    if (error instanceof HotexecError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('the main process of a container', () => {
  it('is the first of its process namespace', () => {
    expect(found([app, { ...app, pid: 7, ppid: 1, startTicks: 5001 }, agent])).toEqual({
      name: 'pod/web-0',
      pid: 1,
      startTicks: 5000,
      container: { id: containerId, name: 'app', runtime: 'containerd' },
      spec: null,
    });
  });

  it('is not /pause where the pod shares its processes, nor another container, nor what was started in it later', () => {
    const main = { ...app, pid: 15 };
    const [child, shell] = [
      { ...app, pid: 16, ppid: 15, startTicks: 5100 },
      { ...app, pid: 12, ppid: 0, startTicks: 8000 },
    ];
    expect(found([pause, otherApp, shell, main, child, agent])).toMatchObject({ pid: 15, startTicks: 5000 });
  });

  it('is known by its mounts where the control group does not show', () => {
    const hidden = { cgroup: '0::/' };
    expect(
      found([
        { ...app, ...hidden },
        { ...agent, ...hidden },
      ]),
    ).toMatchObject({ pid: 1 });
    expect(
      found([
        { ...otherApp, ...hidden, pid: 1 },
        { ...agent, ...hidden },
      ]),
    ).toMatch(/^target-not-found: /);
  });

  it('is known by its container id where the mounts are not the kubelet’s', () => {
    const bare = { mountinfo: '1 0 0:50 / / rw - overlay overlay rw\n' };
    expect(found([{ ...app, ...bare }, agent])).toMatchObject({ pid: 1 });
  });

  it('is not of another pod that has a container of this name', () => {
    const other = { ...app, mountinfo: mountsOf('app', '00000000-0000-4000-8000-000000000000') };
    expect(found([other, agent])).toMatch(/^target-not-found: /);
  });

  it('is not taken for the one that was meant when the container was started again', () => {
    const target = { ...agentTarget, container: { ...agentTarget.container, id: 'd'.repeat(64) } };
    expect(found([app, agent], target)).toMatch(/^target-changed: .*started again/);
  });

  it('is not the agent itself', () => {
    const target = {
      ...agentTarget,
      container: { ...agentTarget.container, name: 'hotexec-agent-1', id: 'a'.repeat(64) },
    };
    expect(found([app, agent], target)).toMatch(/^target-not-found: /);
    expect(found([{ ...agent, pid: 1 }], agentTarget, 1)).toMatch(/^runtime-unsupported: .*namespace of its own/);
  });
});

describe('the start time', () => {
  const startedAt = '2026-11-27T10:00:00Z';
  const target = { ...agentTarget, startedAt };
  const mounts = [`/pods/${target.pod.uid}/containers/app/1a2b3c4d`];
  const at = (seconds: number): string =>
    judge({ mounts, containerId: null, startedMs: Date.parse(startedAt) + seconds * 1000 }, target);

  it('tells two runs of a container apart where nothing else does', () => {
    expect([-3600, -121, 11, 3600].map(at)).toEqual(['restarted', 'restarted', 'restarted', 'restarted']);
    expect([-30, 0, 1].map(at)).toEqual(['proven', 'proven', 'proven']);
  });

  it('is no matter where the id is seen: clocks are set', () => {
    expect(judge({ mounts, containerId, startedMs: 0 }, target)).toBe('proven');
  });

  it('is all that is asked of a mount of a sub-path too', () => {
    const subPath = [`/var/lib/kubelet/pods/${target.pod.uid}/volume-subpaths/data/app/0`];
    expect(judge({ mounts: subPath, containerId: null, startedMs: null }, target)).toBe('proven');
    expect(judge({ mounts: null, containerId: null, startedMs: null }, target)).toBe('denied');
  });
});
