// The target of a command, reached: what all commands do between their flags and their question.
import { openFront, type FrontContext } from '../connect/open-front.ts';
import type { Front } from '../front/front.ts';
import type { RestartOptions } from '../protocol/request.ts';
import { isInCluster, type Target } from '../targets/target.ts';
import { targetOf } from './arguments.ts';
import { clusterOptions, type ClusterFlags, type HowMade } from './cluster-flags.ts';
import type { CliContext } from './context.ts';
import { withNode, type NodeFlags } from './node-flags.ts';
import type { Report } from './report.ts';

/** Of every command with a target. */
export interface TargetFlags extends ClusterFlags, NodeFlags {}

export interface NamedTarget {
  readonly words: readonly string[];
  readonly flags: TargetFlags;
}

export function readTarget({ words, flags }: NamedTarget, { program }: Pick<CliContext, 'program'>): Target {
  return withNode(targetOf(words, { program, selector: flags.selector ?? null }), flags);
}

export interface Reaching extends HowMade {
  readonly flags: ClusterFlags;
  readonly report: Pick<Report, 'doing'>;
  /** Null: nothing is restarted. */
  readonly restart: RestartOptions | null;
}

/** Throws HotexecError. */
export async function openTarget(target: Target, reaching: Reaching, context: CliContext): Promise<Front> {
  return openFront(target, frontContext(target, reaching, context));
}

/** The first pod of a workload, and those after it; a target that is one is itself, alone. Throws HotexecError. */
export async function firstOf(
  target: Target,
  reaching: Reaching,
  context: CliContext,
): Promise<{ readonly first: Target; readonly after: readonly string[] }> {
  if (!isInCluster(target)) return { first: target, after: [] };
  const { firstPod } = await import('../rollout/first.ts');
  return firstPod(target, frontContext(target, reaching, context));
}

function frontContext(
  target: Target,
  { flags, report, restart, force, timeoutMs }: Reaching,
  context: CliContext,
): FrontContext {
  const { env, proc, signal, startEngine } = context;
  const cluster = clusterOptions(flags, { target, env, force, timeoutMs });
  return { env, proc, signal, startEngine, cluster, onProgress: report.doing, restart };
}
