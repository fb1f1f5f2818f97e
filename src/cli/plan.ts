// hotexec plan restart TARGET [flags] [-- COMMAND [ARG...]], plan replace, and --dry-run of both
import { exitCodes } from '../errors.ts';
import { newOperationId } from '../front/operation-id.ts';
import type { GdbScriptOptions } from '../protocol/request.ts';
import type { Plan } from '../protocol/plan.ts';
import { planOfMany } from '../rollout/planned.ts';
import { formatTarget } from '../targets/target.ts';
import type { CliContext, Output } from './context.ts';
import { firstOf, openTarget, readTarget } from './open-target.ts';
import { renderError } from './render/error-text.ts';
import { renderPlan } from './render/plan-text.ts';
import { styleFor } from './render/style.ts';
import { openReport, type Report } from './report.ts';
import { readChange } from './restart-request.ts';
import type { RestartInvocation } from './restart.ts';
import { refuseTimeline } from './timeline-file.ts';
import { usageError } from './usage.ts';

export async function runPlan(invocation: RestartInvocation, context: CliContext): Promise<number> {
  const { flags } = invocation;
  const target = readTarget(invocation, context);
  const gdbScript = scriptOptions(invocation);
  refuseTimeline(flags);
  const { program, options } = await readChange(invocation, context);

  using report = openReport(
    { title: formatTarget(target), output: flags.output, quiet: flags.quiet === true },
    context,
  );
  const reaching = { flags, report, restart: null, ...options };
  const { first, after } = await firstOf(target, reaching, context);
  using front = await openTarget(first, reaching, context);
  const asked = { operationId: newOperationId(), program, options, gdbScript };
  const plan = planOfMany(await front.plan(asked, { signal: context.signal, onEvent: report.onEvent }), after);

  if (gdbScript === null) report.print(plan, (style) => renderPlan(plan, style));
  else printScript(plan, { report, stderr: context.stderr });
  return exitCodeOfPlan(plan);
}

function scriptOptions({ flags, replacement }: RestartInvocation): GdbScriptOptions | null {
  const { format, copy, showEnv, hooks } = flags;
  if (format === undefined && showEnv === true)
    throw usageError('--show-env belongs to --format gdb: a plan shows names alone.');
  if (format === undefined) return null;
  if (hooks === true) throw usageError('A gdb script runs no hooks, so --format gdb takes no --hooks.');
  if (replacement === null && copy.length === 0) return { showEnvironment: showEnv === true };
  throw usageError(
    'A gdb script brings no files into a container, so --format gdb takes neither replace --with nor --copy.',
    'bring the file there first (docker cp), then: hotexec plan restart TARGET --exe PATH --format gdb',
  );
}

/** Standard output is a script, or nothing: it goes to a file. */
function printScript(plan: Plan, { report, stderr }: { readonly report: Report; readonly stderr: Output }): void {
  report.print(plan, () => plan.gdbScript ?? '');
  for (const refusal of plan.refusals) stderr.write(renderError(refusal, styleFor(stderr)));
}

const notPossible = 5;

/** What the restart would exit with. */
export function exitCodeOfPlan({ possible, refusals }: Pick<Plan, 'possible' | 'refusals'>): number {
  if (possible) return 0;
  const [first] = refusals;
  return first === undefined ? notPossible : exitCodes[first.code];
}
