// What of a container's readiness probe hotexec can ask of the new program itself. Pure. The API's Ready is not believed: with the whole
// program stopped a pod stayed Ready for 26 s by an HTTP probe and for ever by a TCP probe, and a listener that is kept answers TCP.
import type { Probe } from '../../../protocol/request.ts';
import { canBeSent, portNumber, requestPath } from './http.ts';
import {
  describeProbe,
  timingOf,
  type HttpGet,
  type ProbedContainer,
  type ProbedPod,
  type ProbeSpec,
  type TcpSocket,
} from './spec.ts';

export interface Readiness {
  /** Null: it is not asked. */
  readonly probe: Probe | null;
  /** What is not asked, or not as the kubelet would; null: it is asked as it is. */
  readonly warning: string | null;
}

const nothing: Readiness = { probe: null, warning: null };

export function readinessOf(pod: ProbedPod, container: ProbedContainer): Readiness {
  const { readinessProbe } = container;
  if (!readinessProbe) return nothing;
  const host = pod.status?.podIP ?? null;
  const ask = { spec: readinessProbe, container, host, timeoutMs: timingOf(readinessProbe).timeoutMs };
  if (readinessProbe.httpGet) return fromHttp(readinessProbe.httpGet, ask);
  if (readinessProbe.tcpSocket) return fromTcp(readinessProbe.tcpSocket, ask);
  if (readinessProbe.grpc) return onlyAccepts(readinessProbe.grpc.port, ask, 'hotexec speaks no gRPC');
  return notAsked(readinessProbe, readinessProbe.exec ? 'it runs a command in the container' : 'its kind is not known');
}

interface Ask {
  readonly spec: ProbeSpec;
  readonly container: ProbedContainer;
  readonly host: string | null;
  readonly timeoutMs: number;
}

function fromHttp(httpGet: HttpGet, ask: Ask): Readiness {
  const port = portNumber(httpGet.port, ask.container);
  if (isElsewhere(httpGet.host, ask)) return notAsked(ask.spec, `it asks another host, ${httpGet.host}`);
  if (httpGet.scheme?.toUpperCase() === 'HTTPS') return onlyAccepts(httpGet.port, ask, 'hotexec speaks no TLS');
  const path = requestPath(httpGet.path);
  if (port === undefined || ask.host === null) return notAsked(ask.spec, whyNowhere(port));
  if (path === undefined) return onlyAccepts(httpGet.port, ask, 'its path is none that can be asked for');
  const headers = (httpGet.httpHeaders ?? []).map(({ name, value }): [string, string] => [name, value]);
  if (!headers.every(canBeSent)) return onlyAccepts(httpGet.port, ask, 'one of its headers is none that can be sent');
  const host = addressOf(httpGet.host, ask.host);
  return { probe: { kind: 'http', host, port, path, timeoutMs: ask.timeoutMs, headers }, warning: null };
}

function fromTcp({ port, host }: TcpSocket, ask: Ask): Readiness {
  const number = portNumber(port, ask.container);
  if (isElsewhere(host, ask)) return notAsked(ask.spec, `it asks another host, ${host}`);
  if (number === undefined || ask.host === null) return notAsked(ask.spec, whyNowhere(number));
  const address = addressOf(host, ask.host);
  return { probe: { kind: 'tcp', host: address, port: number, timeoutMs: ask.timeoutMs }, warning: null };
}

function onlyAccepts(port: number | string, ask: Ask, why: string): Readiness {
  const { probe } = fromTcp({ port }, ask);
  if (probe === null) return notAsked(ask.spec, why);
  const said = `the readiness probe (${describeProbe(ask.spec)}) was not made, for ${why}; instead the new program had to accept a connection on that port`;
  return { probe, warning: said };
}

function notAsked(spec: ProbeSpec, why: string): Readiness {
  const said = `the readiness probe (${describeProbe(spec)}) was not made by hotexec, for ${why}: the kubelet's word has to do`;
  return { probe: null, warning: said };
}

/** The pod's own address, or the loopback of its network (`hostNetwork`): both are reached from within. */
function isElsewhere(host: string | null | undefined, { host: podIp }: Ask): host is string {
  return Boolean(host) && host !== podIp && loopbackOf(host) === undefined;
}

function addressOf(host: string | null | undefined, podIp: string): string {
  return loopbackOf(host) ?? podIp;
}

function loopbackOf(host: string | null | undefined): string | undefined {
  if (host === 'localhost') return '127.0.0.1';
  return host && (host.startsWith('127.') || host === '::1') ? host : undefined;
}

function whyNowhere(port: number | undefined): string {
  return port === undefined ? 'its port is none of the container' : 'the pod has no address yet';
}
