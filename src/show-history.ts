// `hotexec rollback --list`: the programs that ran in the target, and which of them can be gone back to. Reads only.
import type { Host } from './engine/host.ts';
import { observe } from './engine/observe.ts';
import { runningOf } from './engine/running.ts';
import { openHistory } from './history/history.ts';
import { keptFilesOf } from './history/run.ts';
import type { History } from './protocol/history.ts';
import type { EngineRequest } from './protocol/request.ts';

type HistoryRequest = Extract<EngineRequest, { readonly kind: 'history' }>;

export function showHistory({ operationId, target }: HistoryRequest, host: Host): History {
  const observed = observe(target, host.ourselves);
  const history = openHistory(host.history, target, {
    running: runningOf(observed),
    isThere: keptFilesOf(observed.tid),
    readOnly: true,
  });
  for (const message of history.warnings) host.emit({ kind: 'warning', message });
  return {
    apiVersion: 'hotexec/v1',
    kind: 'History',
    operationId,
    target: target.name,
    pid: target.pid,
    startTicks: target.startTicks,
    container: target.container,
    versions: history.versions,
  };
}
