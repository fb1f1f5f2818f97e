import { describe, expect, it } from 'vitest';
import { hookEnd } from '../../../../src/connect/pod-hooks.ts';
import { hookCommand, hooksOf } from '../../../../src/targets/kubernetes/probes/hooks.ts';
import type { HookSpec, ProbedContainer, ProbedPod } from '../../../../src/targets/kubernetes/probes/spec.ts';

const pod: ProbedPod = { status: { podIP: '10.1.2.3' } };
const ports = [{ name: 'web', containerPort: 8080 }];

function container(preStop: HookSpec, postStart: HookSpec | null = null): ProbedContainer {
  return { name: 'app', ports, lifecycle: { preStop, postStart } };
}

describe("a container's hooks", () => {
  it('are a command, which stays here, a sleep, or a request to the pod', () => {
    const subject = container({ exec: { command: ['app', 'drain'] } }, { sleep: { seconds: 3 } });
    expect(hooksOf(pod, subject)).toEqual({
      hooks: { preStop: { kind: 'exec' }, postStart: { kind: 'sleep', ms: 3000 } },
      warnings: [],
    });
    expect(hookCommand(subject, 'preStop')).toEqual(['app', 'drain']);
    expect(hookCommand(subject, 'postStart')).toBeNull();
  });

  it.each([
    [{ port: 'web' }, { scheme: 'http', host: '10.1.2.3', port: 8080, path: '/', headers: [] }],
    [
      { port: 80, path: 'a b?c' },
      { scheme: 'http', host: '10.1.2.3', port: 80, path: '/a%20b?c', headers: [] },
    ],
    [
      { port: 443, host: 'hooks.shop', scheme: 'HTTPS', httpHeaders: [{ name: 'X-A', value: 'b' }] },
      { scheme: 'https', host: 'hooks.shop', port: 443, path: '/', headers: [['X-A', 'b']] },
    ],
  ])('that are requests: %j', (httpGet, expected) => {
    expect(hooksOf(pod, container({ httpGet })).hooks.preStop).toEqual({ kind: 'httpGet', ...expected });
  });

  it.each([
    [{ tcpSocket: { port: 80 } }, 'the preStop hook (tcpSocket) is not run: the kubelet runs none of this kind'],
    [{}, 'the preStop hook (of an unknown kind) is not run: its kind is not known'],
    [{ httpGet: { port: 'none' } }, 'the preStop hook (httpGet) is not run: its port is none of the container'],
    [
      { httpGet: { port: 80, httpHeaders: [{ name: 'a b', value: '' }] } },
      'the preStop hook (httpGet) is not run: one of its headers is none that can be sent',
    ],
  ])('that cannot be run are named: %j', (hook, warning) => {
    expect(hooksOf(pod, container(hook))).toEqual({
      hooks: { preStop: null, postStart: null },
      warnings: [warning],
    });
  });

  it('are none of a container without', () => {
    const nothing = { hooks: { preStop: null, postStart: null }, warnings: [] };
    expect(hooksOf(pod, { name: 'app' })).toEqual(nothing);
  });
});

describe('the end of a command', () => {
  it.each([
    [{ kind: 'exited', exitCode: 0 } as const, { end: 'succeeded', exitCode: 0, why: null }],
    [{ kind: 'exited', exitCode: 3 } as const, { end: 'failed', exitCode: 3, why: 'exited with 3' }],
    [{ kind: 'not-run', why: 'x' } as const, { end: 'failed', exitCode: null, why: 'could not be run: x' }],
    [
      { kind: 'cut', why: 'x' } as const,
      { end: 'unknown', exitCode: null, why: 'may still run: the connection to it was lost (x)' },
    ],
  ])('%j', (end, expected) => {
    expect(hookEnd(end)).toEqual(expected);
  });
});
