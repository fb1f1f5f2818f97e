import { describe, expect, it } from 'vitest';
import { defaultRestartOptions as options, type RestartOptions } from '../../../../src/protocol/request.ts';
import { assessRestart, type Assessment } from '../../../../src/targets/kubernetes/probes/assess.ts';
import { knownStartMs, silenceBudget, startAllowanceMs } from '../../../../src/targets/kubernetes/probes/budget.ts';
import { readinessOf } from '../../../../src/targets/kubernetes/probes/readiness.ts';
import type { ProbedContainer, ProbedPod, ProbeSpec } from '../../../../src/targets/kubernetes/probes/spec.ts';

const http: ProbeSpec = { httpGet: { path: '/healthz', port: 'web' } };
const ports = [{ name: 'web', containerPort: 8080 }];
const pod: ProbedPod = { spec: { terminationGracePeriodSeconds: 30 }, status: { podIP: '10.1.2.3' } };

function container(probes: Partial<ProbedContainer>): ProbedContainer {
  return { name: 'app', ports, ...probes };
}

function assess(probes: Partial<ProbedContainer>, asked: Partial<RestartOptions> = {}, where = pod): Assessment {
  return assessRestart({ name: 'pod/web-0', pod: where, container: container(probes) }, { ...options, ...asked });
}

describe('for how long a container may be silent', () => {
  it('its liveness probe alone says, whatever its startup probe would allow', () => {
    const livenessProbe = { ...http, periodSeconds: 2, failureThreshold: 3, timeoutSeconds: 1 };
    const startupProbe = { ...http, periodSeconds: 10, failureThreshold: 12 };
    expect(silenceBudget(container({ livenessProbe, startupProbe }), { handover: true })).toEqual({
      limitMs: 7_000,
      safeMs: 4_000,
      probe: 'liveness probe (httpGet :web/healthz every 2s, 3 failures, timeout 1s)',
    });
  });

  it("are the API server's defaults where the probe says nothing", () => {
    expect(silenceBudget(container({ livenessProbe: http }), { handover: false })?.limitMs).toBe(31_000);
  });

  it('nothing says without a liveness probe', () => {
    expect(silenceBudget(container({ readinessProbe: http, startupProbe: http }), { handover: false })).toBeNull();
  });

  it('a tcpSocket probe says only where no kept listener answers it', () => {
    const livenessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 1 };
    expect(silenceBudget(container({ livenessProbe }), { handover: true })).toBeNull();
    expect(silenceBudget(container({ livenessProbe }), { handover: false })?.limitMs).toBe(2_000);
  });
});

describe('a grace period', () => {
  const livenessProbe = { ...http, periodSeconds: 2 };

  it('longer than that is refused, and the probe is named', () => {
    const { refusals } = assess({ livenessProbe });
    expect(refusals).toEqual([
      {
        code: 'liveness-budget',
        message:
          "pod/web-0: the old program may take 30s to finish (the pod's terminationGracePeriodSeconds), and its liveness probe (httpGet :web/healthz every 2s, 3 failures, timeout 1s) has the kubelet kill the container after 7s of silence. Its startup probe does not count any more. Nothing was touched.",
        hint: '--grace-period 7s or less; --no-drain; or --force, if the program answers the probe while it finishes',
        details: { budgetMs: 7_000, neededMs: 30_000 },
      },
    ]);
  });

  it('is the one that was asked for', () => {
    expect(assess({ livenessProbe }, { gracePeriodMs: 7_000 }).refusals).toEqual([]);
    expect(assess({ livenessProbe }, { gracePeriodMs: 7_001 }).refusals[0]?.message).toContain(
      'may take 7.001s to finish (--grace-period)',
    );
  });

  it('is not needed without a drain', () => {
    expect(assess({ livenessProbe }, { drain: false }).refusals).toEqual([]);
  });

  it('is a warning with --force', () => {
    const { refusals, warnings } = assess({ livenessProbe }, { force: true });
    expect(refusals).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/has the kubelet kill the container after 7s of silence\..*any more\.$/);
  });

  it('of 30 s goes with the probes that Kubernetes makes by default', () => {
    expect(assess({ livenessProbe: http }).refusals).toEqual([]);
    expect(assess({ livenessProbe: http }, {}, { status: { podIP: '10.1.2.3' } }).refusals).toEqual([]);
  });
});

describe('how long the last start took', () => {
  const startedAt = '2026-11-27T06:00:00Z';
  const after = (seconds: number): ProbedPod => ({
    ...pod,
    status: {
      podIP: '10.1.2.3',
      containerStatuses: [{ name: 'app', state: { running: { startedAt } } }],
      conditions: [
        { type: 'Ready', status: 'True', lastTransitionTime: new Date(Date.parse(startedAt) + seconds * 1000) },
      ],
    },
  });
  const readinessProbe = { ...http, periodSeconds: 2, initialDelaySeconds: 5 };
  const livenessProbe = { ...http, periodSeconds: 3, initialDelaySeconds: 60 };

  it('is at least the time until the pod was ready, less what its probes may have waited', () => {
    expect(knownStartMs(after(48), container({ readinessProbe, livenessProbe }))).toBe(40_000);
  });

  it('is not known where the waiting of the probes explains it', () => {
    expect(knownStartMs(after(7), container({ readinessProbe, livenessProbe }))).toBeNull();
  });

  it('is not known where the kubelet would have killed so long a start: the pod was ready before, and is again', () => {
    expect(knownStartMs(after(3_600), container({ readinessProbe, livenessProbe }))).toBeNull();
  });

  it('is not known of a pod that is not ready, or does not run', () => {
    expect(knownStartMs({}, container({ readinessProbe }))).toBeNull();
    expect(knownStartMs({ status: { conditions: [{ type: 'Ready', status: 'False' }] } }, container({}))).toBeNull();
  });

  it('refuses where it is longer than the liveness probe lets the program be silent', () => {
    const probes = { readinessProbe, livenessProbe };
    const { refusals } = assess(probes, { gracePeriodMs: 5_000 }, after(48));
    expect(refusals.map(({ message }) => message)).toEqual([
      'pod/web-0: the last start of container app took more than 40s, and its liveness probe (httpGet :web/healthz every 3s, 3 failures, timeout 1s) has the kubelet kill the container after 10s of silence. Its startup probe does not count any more. Nothing was touched.',
    ]);
  });
});

describe('how long the new program may take to be ready', () => {
  it('is as long as the kubelet would let a fresh container start', () => {
    const startupProbe = { ...http, periodSeconds: 10, failureThreshold: 12 };
    expect(startAllowanceMs(container({ startupProbe }))).toBe(121_000);
    expect(assess({ readinessProbe: http, startupProbe }).options.probationLimitMs).toBe(121_000);
    expect(assess({ readinessProbe: http }).options.probationLimitMs).toBe(60_000);
  });

  it('is not so long that the liveness probe kills the container first', () => {
    const startupProbe = { ...http, periodSeconds: 10, failureThreshold: 12 };
    const livenessProbe = { ...http, periodSeconds: 2, failureThreshold: 3 };
    expect(assess({ livenessProbe, startupProbe }).options.probationLimitMs).toBe(4_000);
  });
});

describe('an exit with 0', () => {
  it.each([
    ['Always', null, false],
    ['OnFailure', null, true],
    ['Never', null, true],
    // A sidecar of a Job.
    ['Never', 'Always', false],
    [null, null, false],
  ])('under the restart policy %s, and %s of its own, is what the program is for: %s', (policy, own, mayFinish) => {
    const where = { ...pod, spec: { ...pod.spec, restartPolicy: policy } };
    expect(assess({ restartPolicy: own }, {}, where).options.mayFinish).toBe(mayFinish);
  });
});

describe('the readiness probe', () => {
  it('by HTTP is asked of the new program, at the address of the pod, as the kubelet would ask it', () => {
    const readinessProbe: ProbeSpec = {
      httpGet: { path: 'ready?now=1', port: 'web', httpHeaders: [{ name: 'Host', value: 'shop' }] },
      timeoutSeconds: 3,
    };
    expect(readinessOf(pod, container({ readinessProbe }))).toEqual({
      probe: {
        kind: 'http',
        host: '10.1.2.3',
        port: 8080,
        path: '/ready?now=1',
        timeoutMs: 3_000,
        headers: [['Host', 'shop']],
      },
      warning: null,
    });
  });

  it('by TCP is one too', () => {
    const readinessProbe = { tcpSocket: { port: 9000 } };
    expect(readinessOf(pod, container({ readinessProbe })).probe).toEqual({
      kind: 'tcp',
      host: '10.1.2.3',
      port: 9000,
      timeoutMs: 1_000,
    });
  });

  it.each<[string, ProbeSpec, string]>([
    ['HTTPS', { httpGet: { port: 443, scheme: 'HTTPS' } }, 'hotexec speaks no TLS'],
    ['gRPC', { grpc: { port: 443 } }, 'hotexec speaks no gRPC'],
  ])('by %s has to be a connection that the program accepts, and that is said', (_kind, readinessProbe, why) => {
    const { probe, warning } = readinessOf(pod, container({ readinessProbe }));
    expect(probe).toMatchObject({ kind: 'tcp', port: 443 });
    expect(warning).toContain(why);
  });

  it.each<[string, ProbeSpec, string]>([
    ['exec', { exec: { command: ['cat', '/secret'] } }, 'it runs a command in the container'],
    ['a port that is not there', { httpGet: { port: 'metrics' } }, 'its port is none of the container'],
    ['another host', { tcpSocket: { port: 1, host: '10.9.9.9' } }, 'it asks another host, 10.9.9.9'],
  ])('by %s is not made, and that is said', (_kind, readinessProbe, why) => {
    const { probe, warning } = readinessOf(pod, container({ readinessProbe }));
    expect(probe).toBeNull();
    expect(warning).toContain(why);
    expect(warning).not.toContain('/secret');
  });

  it('asks the loopback where the kubelet does', () => {
    const readinessProbe = { httpGet: { port: 8080, host: '127.0.0.1' } };
    expect(readinessOf(pod, container({ readinessProbe })).probe).toMatchObject({ host: '127.0.0.1' });
  });

  it('gives way to --probe, and to --probation 0', () => {
    const probe = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
    expect(assess({ readinessProbe: http }, { probe }).options.probe).toBe(probe);
    expect(assess({ readinessProbe: http }, { probationMs: 0 }).options.probe).toBeNull();
    expect(assess({ readinessProbe: http }).options.probe).toMatchObject({ path: '/healthz' });
  });

  it("that cannot be made leaves the kubelet's word, which is late", () => {
    const exec = { exec: {}, periodSeconds: 5 };
    expect(assess({ readinessProbe: exec })).toMatchObject({ staleForMs: 16_000, readyWithinMs: 51_000 });
    expect(assess({ readinessProbe: http })).toMatchObject({ staleForMs: 0, readyWithinMs: 71_000 });
    expect(assess({})).toMatchObject({ staleForMs: 0, readyWithinMs: 30_000 });
  });
});

it('hooks are not run unless it is asked for, and that is said', () => {
  const lifecycle = { preStop: { exec: { command: ['nginx', '-s', 'quit'] } }, postStart: { sleep: { seconds: 1 } } };
  expect(assess({ lifecycle }).warnings).toEqual([
    'the preStop hook (exec) is not run: --hooks runs it',
    'the postStart hook (sleep) is not run: --hooks runs it',
  ]);
  expect(assess({ lifecycle }).options.hooks).toBeUndefined();
});
