// hotexec restart TARGET [flags] [-- COMMAND [ARG...]]; replace is the same with a file from here.
import { exitCodes } from '../errors.ts';
import { newOperationId } from '../front/operation-id.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import { outcomeCodes, type RestartResult } from '../protocol/result.ts';
import { formatTarget, isInCluster } from '../targets/target.ts';
import type { CliContext } from './context.ts';
import type { RestartCommandFlags } from './flags.ts';
import { forgetGone } from './forget-gone.ts';
import { openTarget, readTarget } from './open-target.ts';
import { renderError } from './render/error-text.ts';
import { renderRestart } from './render/restart-text.ts';
import { styleFor } from './render/style.ts';
import { openReport, type Report } from './report.ts';
import { readChange, type ReplacementFlags } from './restart-request.ts';
import { openTimeline, type TimelineDrawing } from './timeline-file.ts';
import { usageError } from './usage.ts';

export interface RestartInvocation {
  readonly words: readonly string[];
  readonly flags: RestartCommandFlags;
  /** What stands behind `--`. */
  readonly command: readonly string[] | null;
  /** Of `replace`; null: the program comes from inside the container. */
  readonly replacement: ReplacementFlags | null;
}

export async function runRestart(invocation: RestartInvocation, context: CliContext): Promise<number> {
  const { flags } = invocation;
  if (flags.dryRun === true) {
    const { runPlan } = await import('./plan.ts');
    return runPlan(invocation, context);
  }
  if (flags.format !== undefined || flags.showEnv === true)
    throw usageError('--format and --show-env are for a plan.', 'hotexec plan restart TARGET --format gdb');
  const target = readTarget(invocation, context);
  const { program, options } = await readChange(invocation, context);
  if (isInCluster(target) && target.kind !== 'pod') {
    const { runRollout } = await import('./rollout.ts');
    return runRollout({ target, program, options, flags }, context);
  }
  const timeline = await openTimeline(flags, context);

  using report = openReport(
    { title: formatTarget(target), output: flags.output, quiet: flags.quiet === true },
    context,
  );
  using front = await openTarget(target, { flags, report, restart: options, ...options }, context);
  const onEvent = (event: HotexecEvent): void => {
    report.onEvent(event);
    timeline.onEvent(event);
  };
  const asked = { operationId: newOperationId(), program, options };
  context.onBegin(asked.operationId);
  const result = await front.restart(asked, { signal: context.signal, onEvent });

  const exitCode = await showResult(result, { report, timeline, context });
  await forgetGone(target, context, { rarely: true });
  return exitCode;
}

interface Shown {
  readonly report: Report;
  /** Null: no picture was asked for. */
  readonly timeline: TimelineDrawing | null;
  readonly context: CliContext;
}

/** What came of it, of a rollback too: the result, the error, the picture. Returns the exit code. */
export async function showResult(result: RestartResult, { report, timeline, context }: Shown): Promise<number> {
  report.print(result, (style) => renderRestart(result, style));
  if (result.error !== null) context.stderr.write(renderError(result.error, styleFor(context.stderr)));
  await timeline?.finish(result);
  return exitCodeOf(result);
}

/** Of a restart that left all as it was, the reason tells: refused, cancelled, or a bug. */
export function exitCodeOf({ outcome, error }: Pick<RestartResult, 'outcome' | 'error'>): number {
  return outcome === 'unchanged' && error !== null ? exitCodes[error.code] : outcomeCodes[outcome];
}
