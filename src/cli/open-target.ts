// The target of a command, reached: what all commands do between their flags and their question.
import { openFront } from '../connect/open-front.ts';
import type { Front } from '../front/front.ts';
import type { Target } from '../targets/target.ts';
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
}

/** Throws HotexecError. */
export async function openTarget(
  target: Target,
  { flags, report, force, timeoutMs }: Reaching,
  context: CliContext,
): Promise<Front> {
  const { env, proc, signal, startEngine } = context;
  const cluster = clusterOptions(flags, { target, env, force, timeoutMs });
  return openFront(target, { env, proc, signal, startEngine, cluster, onProgress: report.doing });
}
