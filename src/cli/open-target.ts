// The target of a command, reached: what all commands do between their flags and their question.
import { openFront } from '../connect/open-front.ts';
import type { Front } from '../front/front.ts';
import type { RestartOptions } from '../protocol/request.ts';
import type { Target } from '../targets/target.ts';
import { targetOf } from './arguments.ts';
import { clusterOptions, type ClusterFlags, type HowMade } from './cluster-flags.ts';
import type { CliContext } from './context.ts';
import type { Report } from './report.ts';

export interface NamedTarget {
  readonly words: readonly string[];
  readonly flags: ClusterFlags;
}

export function readTarget({ words, flags }: NamedTarget, { program }: Pick<CliContext, 'program'>): Target {
  return targetOf(words, { program, selector: flags.selector ?? null });
}

export interface Reaching extends HowMade {
  readonly flags: ClusterFlags;
  readonly report: Pick<Report, 'doing'>;
  /** Null: nothing is restarted. */
  readonly restart: RestartOptions | null;
}

/** Throws HotexecError. */
export async function openTarget(
  target: Target,
  { flags, report, restart, force, timeoutMs }: Reaching,
  context: CliContext,
): Promise<Front> {
  const { env, proc, signal, startEngine } = context;
  const cluster = clusterOptions(flags, { target, env, force, timeoutMs });
  return openFront(target, { env, proc, signal, startEngine, cluster, onProgress: report.doing, restart });
}
