// The parts of a pod's description that say how the kubelet looks after a container, as the API server gives them: probes, hooks, and
// when what came up. Only what is used here; a V1Pod of the client has all of it. And the kubelet's defaults (pkg/apis/core/v1/defaults.go).

/** As the client gives it, or as valibot does. */
type Maybe<T> = T | null | undefined;

export interface ProbeSpec {
  readonly httpGet?: Maybe<HttpGet>;
  readonly tcpSocket?: Maybe<TcpSocket>;
  readonly exec?: Maybe<object>;
  readonly grpc?: Maybe<{ readonly port: number }>;
  readonly initialDelaySeconds?: Maybe<number>;
  readonly periodSeconds?: Maybe<number>;
  readonly timeoutSeconds?: Maybe<number>;
  readonly failureThreshold?: Maybe<number>;
  readonly successThreshold?: Maybe<number>;
}

export interface HttpGet {
  readonly port: number | string;
  readonly host?: Maybe<string>;
  readonly path?: Maybe<string>;
  readonly scheme?: Maybe<string>;
  readonly httpHeaders?: Maybe<readonly { readonly name: string; readonly value: string }[]>;
}

export interface TcpSocket {
  readonly port: number | string;
  readonly host?: Maybe<string>;
}

export interface ProbedContainer {
  readonly name: string;
  readonly ports?: Maybe<readonly ContainerPort[]>;
  readonly livenessProbe?: Maybe<ProbeSpec>;
  readonly readinessProbe?: Maybe<ProbeSpec>;
  readonly startupProbe?: Maybe<ProbeSpec>;
  readonly lifecycle?: Maybe<{ readonly preStop?: Maybe<HookSpec>; readonly postStart?: Maybe<HookSpec> }>;
  /** Its own; null: the pod's. */
  readonly restartPolicy?: Maybe<string>;
}

export interface ContainerPort {
  readonly name?: Maybe<string>;
  readonly containerPort: number;
}

export interface HookSpec {
  readonly exec?: Maybe<{ readonly command?: Maybe<readonly string[]> }>;
  readonly httpGet?: Maybe<HttpGet>;
  readonly tcpSocket?: Maybe<object>;
  readonly sleep?: Maybe<{ readonly seconds: number }>;
}

export interface ProbedPod {
  readonly spec?: Maybe<{
    readonly terminationGracePeriodSeconds?: Maybe<number>;
    readonly restartPolicy?: Maybe<string>;
  }>;
  readonly status?: Maybe<{
    readonly podIP?: Maybe<string>;
    readonly conditions?: Maybe<readonly PodCondition[]>;
    readonly containerStatuses?: Maybe<readonly ContainerStatus[]>;
    readonly initContainerStatuses?: Maybe<readonly ContainerStatus[]>;
  }>;
}

interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: Maybe<Date | string>;
}

interface ContainerStatus {
  readonly name: string;
  readonly state?: Maybe<{ readonly running?: Maybe<{ readonly startedAt?: Maybe<Date | string> }> }>;
}

/** A probe's numbers, in ms where they are times. */
export interface Timing {
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly failures: number;
  readonly successes: number;
}

export function timingOf(probe: ProbeSpec): Timing {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    periodMs: (probe.periodSeconds ?? 10) * 1000,
    timeoutMs: (probe.timeoutSeconds ?? 1) * 1000,
    failures: probe.failureThreshold ?? 3,
    successes: probe.successThreshold ?? 1,
  };
}

/** `none`: an action that is younger than hotexec. */
export function kindOf(probe: ProbeSpec): 'httpGet' | 'tcpSocket' | 'exec' | 'grpc' | 'none' {
  if (probe.httpGet) return 'httpGet';
  if (probe.tcpSocket) return 'tcpSocket';
  if (probe.exec) return 'exec';
  return probe.grpc ? 'grpc' : 'none';
}

/** `httpGet :8080/healthz`, `exec`: without the command, which may hold what is not to be shown. */
export function describeProbe(probe: ProbeSpec): string {
  const { httpGet, tcpSocket, grpc } = probe;
  if (httpGet) return `httpGet ${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? '/'}`;
  if (tcpSocket) return `tcpSocket ${tcpSocket.host ?? ''}:${tcpSocket.port}`;
  if (grpc) return `grpc :${grpc.port}`;
  return kindOf(probe);
}

/** `1.5s`, `2m`, `1m30s`: as the flags take it. */
export function formatDuration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms - minutes * 60_000) / 1000;
  if (minutes === 0) return `${seconds}s`;
  return seconds === 0 ? `${minutes}m` : `${minutes}m${seconds}s`;
}
