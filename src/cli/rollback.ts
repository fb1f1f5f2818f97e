// hotexec rollback TARGET [--to N] [--list] [flags]
import { newOperationId } from '../front/operation-id.ts';
import { withProbeAddress } from '../front/probe.ts';
import type { Front, Listening } from '../front/front.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import { sameProgram } from '../protocol/request.ts';
import { formatTarget, isInCluster } from '../targets/target.ts';
import type { CliContext } from './context.ts';
import { forgetGone } from './forget-gone.ts';
import { openTarget, readTarget } from './open-target.ts';
import { exitCodeOfPlan } from './plan.ts';
import { renderHistory } from './render/history-text.ts';
import { renderPlan } from './render/plan-text.ts';
import { openReport, type Report } from './report.ts';
import { restartOptions } from './restart-request.ts';
import { showResult } from './restart.ts';
import type { RollbackFlags } from './flags.ts';
import { openTimeline, refuseTimeline, type TimelineDrawing } from './timeline-file.ts';
import { usageError } from './usage.ts';

export interface RollbackInvocation {
  readonly words: readonly string[];
  readonly flags: RollbackFlags;
}

export async function runRollback(invocation: RollbackInvocation, context: CliContext): Promise<number> {
  const { flags } = invocation;
  const target = readTarget(invocation, context);
  const wanted = { version: versionOf(flags), options: await withProbeAddress(restartOptions(flags)) };

  if (flags.dryRun === true || flags.list === true) refuseTimeline(flags);
  const isRestart = flags.dryRun !== true && flags.list !== true;
  if (isRestart && isInCluster(target) && target.kind !== 'pod') {
    const { runRollout } = await import('./rollout.ts');
    const program = { ...sameProgram, version: wanted.version };
    return runRollout({ target, program, options: wanted.options, flags }, context);
  }
  const timeline = await openTimeline(flags, context);
  using report = openReport(
    { title: formatTarget(target), output: flags.output, quiet: flags.quiet === true },
    context,
  );
  using front = await openTarget(
    target,
    { flags, report, restart: isRestart ? wanted.options : null, ...wanted.options },
    context,
  );
  const onEvent = (event: HotexecEvent): void => {
    report.onEvent(event);
    timeline.onEvent(event);
  };
  const asking: Asking = { front, listening: { signal: context.signal, onEvent }, report, timeline, context };
  try {
    if (flags.list === true) return await list(asking);
    return await (flags.dryRun === true ? plan(wanted, asking) : goBack(wanted, asking));
  } finally {
    await forgetGone(target, context);
  }
}

interface Wanted {
  readonly version: 'previous' | number;
  readonly options: ReturnType<typeof restartOptions>;
}

interface Asking {
  readonly front: Front;
  readonly listening: Listening;
  readonly report: Report;
  readonly timeline: TimelineDrawing;
  readonly context: CliContext;
}

async function list({ front, listening, report }: Asking): Promise<number> {
  const history = await front.history({ operationId: newOperationId() }, listening);
  report.print(history, (style) => renderHistory(history, { style, now: new Date() }));
  return 0;
}

async function plan({ version, options }: Wanted, { front, listening, report }: Asking): Promise<number> {
  const program = { ...sameProgram, version };
  const asked = { operationId: newOperationId(), program, options, gdbScript: null };
  const planned = await front.plan(asked, listening);
  report.print(planned, (style) => renderPlan(planned, style));
  return exitCodeOfPlan(planned);
}

async function goBack({ version, options }: Wanted, asking: Asking): Promise<number> {
  const { front, listening, context } = asking;
  const asked = { operationId: newOperationId(), program: { ...sameProgram, version }, options };
  context.onBegin(asked.operationId);
  const result = await front.restart(asked, listening);
  return showResult(result, asking);
}

function versionOf({ to, list: listing, dryRun }: RollbackFlags): 'previous' | number {
  if (listing === true && (to !== undefined || dryRun === true)) {
    throw usageError('--list goes back to nothing: it takes no --to and no --dry-run.');
  }
  if (to === undefined) return 'previous';
  if (!/^[1-9]\d{0,8}$/.test(to))
    throw usageError(`--to ${JSON.stringify(to)} is not the number of a version.`, '--list shows them.');
  return Number(to);
}
