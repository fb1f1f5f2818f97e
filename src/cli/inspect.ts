// hotexec inspect TARGET
import { newOperationId } from '../front/operation-id.ts';
import { askInspection } from '../front/session.ts';
import { resolve } from '../targets/resolve.ts';
import { formatTarget } from '../targets/target.ts';
import type { CliContext } from './context.ts';
import { renderInspection } from './render/inspect-text.ts';
import { openReport } from './report.ts';
import type { InspectFlags } from './flags.ts';
import { readTarget } from './target-flags.ts';

export interface InspectInvocation {
  readonly words: readonly string[];
  readonly flags: InspectFlags;
}

export async function runInspect({ words, flags }: InspectInvocation, context: CliContext): Promise<number> {
  const target = readTarget(words, flags);
  const { startEngine, signal } = context;
  using engine = startEngine();
  using report = openReport({ title: formatTarget(target), output: flags.output, quiet: false }, context);
  const process = await resolve(target, context);
  const showEnvironment = flags.showEnv === true;
  const request = { kind: 'inspect', operationId: newOperationId(), target: process, showEnvironment } as const;
  const inspection = await askInspection(request, { engine, startEngine, signal, onEvent: report.onEvent });

  report.print(inspection, (style) => renderInspection(inspection, style));
  return 0;
}
