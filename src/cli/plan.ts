// hotexec plan restart TARGET [flags] [-- COMMAND [ARG...]], and restart --dry-run
import { exitCodes } from '../errors.ts';
import { newOperationId } from '../front/operation-id.ts';
import { askPlan } from '../front/session.ts';
import type { Plan } from '../protocol/plan.ts';
import { resolve } from '../targets/resolve.ts';
import { formatTarget } from '../targets/target.ts';
import { targetOf } from './arguments.ts';
import type { CliContext } from './context.ts';
import { renderPlan } from './render/plan-text.ts';
import { openReport } from './report.ts';
import { programChange, readWantedProgram, restartOptions } from './restart-request.ts';
import type { RestartInvocation } from './restart.ts';

export async function runPlan({ words, flags, command }: RestartInvocation, context: CliContext): Promise<number> {
  const target = targetOf(words);
  const options = restartOptions(flags);
  const wanted = await readWantedProgram(flags, command, context);

  const { startEngine, signal } = context;
  using engine = startEngine();
  using report = openReport(
    { title: formatTarget(target), output: flags.output, quiet: flags.quiet === true },
    context,
  );
  const process = await resolve(target, context);
  const program = programChange(wanted);
  const request = { kind: 'plan', operationId: newOperationId(), target: process, program, options } as const;
  const plan = await askPlan(request, { engine, startEngine, signal, onEvent: report.onEvent });

  report.print(plan, (style) => renderPlan(plan, style));
  return exitCodeOfPlan(plan);
}

const notPossible = 5;

/** What the restart would exit with. */
export function exitCodeOfPlan({ possible, refusals }: Pick<Plan, 'possible' | 'refusals'>): number {
  if (possible) return 0;
  const [first] = refusals;
  return first === undefined ? notPossible : exitCodes[first.code];
}
