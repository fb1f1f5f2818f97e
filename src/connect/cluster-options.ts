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

export const defaultAgent: AgentChoice = { image: null, ttlSeconds: defaultTtlSeconds, user: null };
export const currentCluster: ClusterChoice = {
  kubeconfig: null,
  context: null,
  namespace: null,
  as: null,
  asGroups: [],
};
