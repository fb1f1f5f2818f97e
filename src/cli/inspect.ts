// hotexec inspect TARGET
import { newOperationId, operationIdPattern } from '../front/operation-id.ts';
import { formatTarget } from '../targets/target.ts';
import type { CliContext } from './context.ts';
import type { InspectFlags } from './flags.ts';
import { openTarget, readTarget } from './open-target.ts';
import { renderInspection } from './render/inspect-text.ts';
import { openReport } from './report.ts';
import { usageError } from './usage.ts';

export interface InspectInvocation {
  readonly words: readonly string[];
  readonly flags: InspectFlags;
}

const agentWithinMs = 30_000;

export async function runInspect(invocation: InspectInvocation, context: CliContext): Promise<number> {
  const { flags } = invocation;
  if (flags.operation !== undefined && flags.showEnv === true)
    throw usageError('--operation asks what came of a restart, and --show-env what runs.');
  if (flags.operation !== undefined && !operationIdPattern.test(flags.operation))
    throw usageError(
      `--operation ${JSON.stringify(flags.operation)} is not the id of an operation.`,
      'The error of a lost connection names it, and the Events of the pod do.',
    );
  const target = readTarget(invocation, context);
  using report = openReport({ title: formatTarget(target), output: flags.output, quiet: false }, context);
  using front = await openTarget(
    target,
    { flags, report, restart: null, force: false, timeoutMs: agentWithinMs },
    context,
  );
  if (flags.operation !== undefined) {
    const listening = { signal: context.signal, onEvent: report.onEvent };
    const result = await front.outcome({ operationId: flags.operation }, listening);
    const { showResult } = await import('./restart.ts');
    return await showResult(result, { report, timeline: null, context });
  }
  const asked = { operationId: newOperationId(), showEnvironment: flags.showEnv === true };
  const inspection = await front.inspect(asked, { signal: context.signal, onEvent: report.onEvent });

  report.print(inspection, (style) => renderInspection(inspection, style));
  return 0;
}
