// What a caller of the library says about a cluster, checked: what is wrong with it rejects with the code `usage`, and nothing was asked.
import { HotexecError } from '../errors.ts';
import type { AgentOptions, KubernetesOptions } from '../front/options.ts';
import type { AgentChoice } from '../targets/kubernetes/agent.ts';
import {
  agentImageOf,
  currentCluster,
  defaultAgent,
  isId,
  isLabel,
  longestTtlMs,
  type ClusterOptions,
} from './cluster-options.ts';
import { version } from './version.ts';

interface Making extends Pick<ClusterOptions, 'force' | 'timeoutMs'> {
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function kubernetesOptions(wanted: KubernetesOptions, { env, force, timeoutMs }: Making): ClusterOptions {
  const { kubeconfig = null, context = null, as = null, asGroups = [], agent = {} } = wanted;
  if (asGroups.length > 0 && as === null)
    throw usage('asGroups are for a user that is impersonated, and there is no `as`.');
  return {
    cluster: { ...currentCluster, namespace: named(wanted, 'namespace'), context, kubeconfig, as, asGroups },
    container: named(wanted, 'container'),
    agent: agentChoice(agent, env),
    force,
    timeoutMs,
    version,
  };
}

function named(wanted: KubernetesOptions, option: 'namespace' | 'container'): string | null {
  const name = wanted[option];
  if (name === undefined || isLabel(name)) return name ?? null;
  throw usage(`${option}: ${JSON.stringify(name)} is not a name as Kubernetes has them.`);
}

function agentChoice({ image, ttlMs, user }: AgentOptions, env: Making['env']): AgentChoice {
  if (ttlMs !== undefined && !(ttlMs >= 1000 && ttlMs <= longestTtlMs))
    throw usage(`agent.ttlMs: ${ttlMs} is not a time from 1000 to ${longestTtlMs}.`);
  if (user !== undefined && !(isId(user.uid) && isId(user.gid ?? 0)))
    throw usage(`agent.user: ${JSON.stringify(user)} has a number that is no id.`);
  return {
    image: agentImageOf(image, env),
    ttlSeconds: ttlMs === undefined ? defaultAgent.ttlSeconds : Math.round(ttlMs / 1000),
    user: user === undefined ? null : { uid: user.uid, gid: user.gid ?? null },
  };
}

function usage(message: string): HotexecError {
  return new HotexecError({ code: 'usage', message, hint: null });
}
