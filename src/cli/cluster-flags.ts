// The flags that say where a pod is, and what the agent beside it is like: -n, --context, -c, --agent-image.
import {
  agentImageOf,
  currentCluster,
  defaultAgent,
  isId,
  isLabel,
  longestTtlMs,
  type ClusterOptions,
} from '../connect/cluster-options.ts';
import { isInCluster, type Target } from '../targets/target.ts';
import type { CliContext } from './context.ts';
import { parseDurationMs } from './duration.ts';
import type { HooksFlag } from './hooks-flag.ts';
import { usageError } from './usage.ts';
import { version } from '../connect/version.ts';

/** As commander gives them. */
export interface ClusterFlags extends HooksFlag {
  readonly namespace?: string | undefined;
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroup: readonly string[];
  readonly container?: string | undefined;
  readonly selector?: string | undefined;
  readonly agentImage?: string | undefined;
  readonly agentTtl?: string | undefined;
  readonly agentUser?: string | undefined;
}

export interface HowMade {
  readonly force: boolean;
  readonly timeoutMs: number;
}

/** Usage errors: a flag that makes no sense, or one for pods where the target is none. target: null: a namespace as a whole. */
export function clusterOptions(
  flags: ClusterFlags,
  { target, env, force, timeoutMs }: HowMade & { readonly target: Target | null } & Pick<CliContext, 'env'>,
): ClusterOptions {
  if (target !== null && !isInCluster(target)) refuseElsewhere(target.kind, flags);
  const { namespace, context, kubeconfig, as, asGroup, container } = flags;
  if (asGroup.length > 0 && as === undefined)
    throw usageError('--as-group is for a user that is impersonated, and there is no --as.');
  return {
    cluster: {
      ...currentCluster,
      namespace: named('--namespace', namespace),
      context: context ?? null,
      kubeconfig: kubeconfig ?? null,
      as: as ?? null,
      asGroups: asGroup,
    },
    container: named('--container', container),
    agent: {
      image: agentImageOf(flags.agentImage, env),
      ttlSeconds: flags.agentTtl === undefined ? defaultAgent.ttlSeconds : parseTtl(flags.agentTtl),
      user: flags.agentUser === undefined ? null : parseUser(flags.agentUser),
    },
    force,
    timeoutMs,
    version,
  };
}

/** `machine`: nothing is named, and this machine is looked at. */
export function refuseElsewhere(kind: Target['kind'] | 'machine', { asGroup, ...flags }: ClusterFlags): void {
  const names = {
    ...(kind === 'local-pod' ? {} : ofAnyPod),
    context: '--context',
    kubeconfig: '--kubeconfig',
    as: '--as',
    agentImage: '--agent-image',
    agentTtl: '--agent-ttl',
    agentUser: '--agent-user',
    hooks: '--hooks',
  } as const;
  const given = Object.entries<string>(names).find(([key]) =>
    Object.entries(flags).some(([name, value]) => name === key && value !== undefined),
  );
  const name = given?.[1] ?? (asGroup.length > 0 ? '--as-group' : null);
  if (name === null) return;
  if (kind === 'local-pod') throw usageError(`${name} is for pods that an API server is asked for: without --local.`);
  if (kind === 'machine')
    throw usageError(
      `${name} is for a cluster, and this is about the machine.`,
      'The same of a cluster: kubectl hotexec …',
    );
  throw usageError(`${name} is for pods, and the target is none.`, whereElse[kind] ?? 'A pod is named pod/NAME.');
}

const ofAnyPod = { namespace: '--namespace', container: '--container' } as const;

const whereElse: Readonly<Partial<Record<Target['kind'], string>>> = {
  containerd: 'Of containerd/ID the namespace is --containerd-namespace.',
};

function named(flag: string, name: string | undefined): string | null {
  if (name === undefined) return null;
  if (isLabel(name)) return name;
  throw usageError(`${flag} ${JSON.stringify(name)} is not a name as Kubernetes has them.`);
}

function parseTtl(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 1000 && ms <= longestTtlMs) return Math.round(ms / 1000);
  throw usageError(`--agent-ttl ${JSON.stringify(text)} is not a duration from 1s to 168h.`, 'For example: 15m');
}

function parseUser(text: string): NonNullable<ClusterOptions['agent']['user']> {
  const [uid = Number.NaN, gid = null, ...more] = text
    .split(':')
    .map((id) => (/^\d{1,10}$/.test(id) && isId(Number(id)) ? Number(id) : Number.NaN));
  if (!Number.isNaN(uid) && !Number.isNaN(gid ?? 0) && more.length === 0) return { uid, gid };
  throw usageError(
    `--agent-user ${JSON.stringify(text)} is not UID or UID:GID.`,
    'Numbers: kubectl exec POD -- id shows those of the program.',
  );
}
