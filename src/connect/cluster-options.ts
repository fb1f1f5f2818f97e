// What a command says about the cluster and the agent there; for a target of this machine none of it counts.
import type { AgentChoice } from '../targets/kubernetes/agent.ts';
import type { ClusterChoice } from '../targets/kubernetes/kubeconfig.ts';

export interface ClusterOptions {
  readonly cluster: ClusterChoice;
  /** Null: the pod's default, or its only one. */
  readonly container: string | null;
  readonly agent: AgentChoice;
  /** The agent is put into the pod although its memory limit is small. */
  readonly force: boolean;
  /** Until the agent runs, in ms. */
  readonly timeoutMs: number;
  /** Of this hotexec: the agent has the same. */
  readonly version: string;
}

const defaultTtlSeconds = 15 * 60;
/** Of an agent without use. */
export const longestTtlMs: number = 7 * 24 * 3_600_000;
// (uid_t)-1 means "leave it" to setuid(2).
const maxId = 2 ** 32 - 2;

export const defaultAgent: AgentChoice = { image: null, ttlSeconds: defaultTtlSeconds, user: null };
export const currentCluster: ClusterChoice = {
  kubeconfig: null,
  context: null,
  namespace: null,
  as: null,
  asGroups: [],
};

/** A DNS label (RFC 1123), as namespaces and containers are named. It keeps a second path out of the request. */
export function isLabel(name: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name);
}

/** Of a user or a group. */
export function isId(id: number): boolean {
  return Number.isInteger(id) && id >= 0 && id <= maxId;
}

/** `given`: what the caller says; null: whichever the agent of this version has. */
export function agentImageOf(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const image = given ?? env['HOTEXEC_AGENT_IMAGE'] ?? '';
  return image === '' ? null : image;
}
