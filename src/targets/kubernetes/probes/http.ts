// The parts of a request that a pod describes, of a probe or a hook: its port, its path, its headers. Pure.
import type { ContainerPort, ProbedContainer } from './spec.ts';

/** A name is looked up among the container's own ports, as the kubelet does (pkg/probe/util.go). */
export function portNumber(port: number | string, { ports }: ProbedContainer): number | undefined {
  const number = typeof port === 'number' ? port : portNamed(port, ports ?? []);
  return Number.isInteger(number) && number > 0 && number <= 65_535 ? number : undefined;
}

function portNamed(name: string, ports: readonly ContainerPort[]): number {
  return (
    ports.find((port) => port.name === name)?.containerPort ?? (/^\d{1,5}$/.test(name) ? Number(name) : Number.NaN)
  );
}

/** As the kubelet makes a URL of it: a missing slash is added, and what is not ASCII is written in %XX. */
export function requestPath(given: string | null | undefined): string | undefined {
  const path = given ?? '/';
  const url = URL.parse(`http://pod${path.startsWith('/') ? '' : '/'}${path}`);
  return url?.host === 'pod' ? `${url.pathname}${url.search}` : undefined;
}

/** RFC 9110, 5.1 and 5.5. */
export function canBeSent([name, value]: readonly [string, string]): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\u0020-\u007E]*$/.test(value);
}
