// hotexec rollback TARGET [--to N] [--list] [flags]
import { newOperationId } from '../front/operation-id.ts';
import { withProbeAddress } from '../front/probe.ts';
import { askRestart } from '../front/restart.ts';
import { askHistory, askPlan, type Session } from '../front/session.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import { sameProgram, type TargetProcess } from '../protocol/request.ts';
import { resolve } from '../targets/resolve.ts';
import { formatTarget } from '../targets/target.ts';
import type { CliContext } from './context.ts';
import { forgetGone } from './forget-gone.ts';
import { exitCodeOfPlan } from './plan.ts';
import { renderHistory } from './render/history-text.ts';
import { renderPlan } from './render/plan-text.ts';
import { openReport, type Report } from './report.ts';
import { restartOptions } from './restart-request.ts';
import { showResult } from './restart.ts';
import type { RollbackFlags } from './flags.ts';
import { openTimeline, refuseTimeline, type TimelineDrawing } from './timeline-file.ts';
import { usageError } from './usage.ts';
import { readTarget } from './target-flags.ts';

export interface RollbackInvocation {
  readonly words: readonly string[];
  readonly flags: RollbackFlags;
}

export async function runRollback({ words, flags }: RollbackInvocation, context: CliContext): Promise<number> {
  const target = readTarget(words, flags);
  const wanted = { version: versionOf(flags), options: await withProbeAddress(restartOptions(flags)) };

  if (flags.dryRun === true || flags.list === true) refuseTimeline(flags);
  const timeline = await openTimeline(flags, context);
  const { startEngine, signal } = context;
  using engine = startEngine();
  using report = openReport(
    { title: formatTarget(target), output: flags.output, quiet: flags.quiet === true },
    context,
  );
  const process = await resolve(target, context);
  const onEvent = (event: HotexecEvent): void => {
    report.onEvent(event);
    timeline.onEvent(event);
  };
  const session: Session = { engine, startEngine, signal, onEvent };
  const asking: Asking = { process, session, report, timeline, context };
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
  readonly process: TargetProcess;
  readonly session: Session;
  readonly report: Report;
  readonly timeline: TimelineDrawing;
  readonly context: CliContext;
}

async function list({ process, session, report }: Asking): Promise<number> {
  const request = { kind: 'history', operationId: newOperationId(), target: process } as const;
  const history = await askHistory(request, session);
  report.print(history, (style) => renderHistory(history, { style, now: new Date() }));
  return 0;
}

async function plan({ version, options }: Wanted, { process, session, report }: Asking): Promise<number> {
  const program = { ...sameProgram, version };
  const request = { kind: 'plan', operationId: newOperationId(), target: process, program, options } as const;
  const planned = await askPlan(request, session);
  report.print(planned, (style) => renderPlan(planned, style));
  return exitCodeOfPlan(planned);
}

async function goBack({ version, options }: Wanted, asking: Asking): Promise<number> {
  const { process, session } = asking;
  const program = { ...sameProgram, version };
  const request = { kind: 'restart', operationId: newOperationId(), target: process, program, options } as const;
  const result = await askRestart(request, session);
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
