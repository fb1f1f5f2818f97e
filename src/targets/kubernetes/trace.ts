// What a restart leaves in the cluster: an Event on the pod, and an annotation where that is allowed. Digests and names alone; values of arguments and
// of the environment are nobody's there.
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import type { RestartResult } from '../../protocol/result.ts';
import { ApiError, apiPath, type ClusterApi } from './api.ts';
import { changeKey, type Change } from './change.ts';
import type { Pod } from './pod.ts';

export type TracedVerb = 'restart' | 'replace' | 'rollback';

export interface Trace {
  readonly verb: TracedVerb;
  readonly container: string;
  readonly result: RestartResult;
}

/** Resolves with what could not be left, as sentences; the restart is over whatever comes of it. */
export async function leaveTrace(trace: Trace, pod: Pod, api: ClusterApi): Promise<readonly string[]> {
  const outcomes = await Promise.allSettled([postEvent(trace, pod, api), annotate(trace, pod, api)]);
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [sentence(outcome.reason)] : []));
}

function sentence(reason: unknown): string {
  const why = reason instanceof Error ? reason.message : String(reason);
  return `The cluster has no record of it: ${why}`;
}

const reasonOf: Readonly<Record<RestartResult['outcome'], string>> = {
  restarted: 'HotexecRestarted',
  unchanged: 'HotexecUnchanged',
  'rolled-back': 'HotexecRolledBack',
  stopped: 'HotexecStopped',
  lost: 'HotexecLost',
};

async function postEvent({ verb, container, result }: Trace, { metadata }: Pod, api: ClusterApi): Promise<void> {
  const { namespace, name, uid } = metadata;
  const now = new Date().toISOString();
  const isFine = result.outcome === 'restarted';
  await api.send(
    {
      method: 'POST',
      path: apiPath(['api', 'v1', 'namespaces', namespace, 'events']),
      contentType: 'application/json',
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${name}.${randomUUID().slice(0, 13)}`, namespace },
        involvedObject: {
          apiVersion: 'v1',
          kind: 'Pod',
          namespace,
          name,
          uid,
          fieldPath: `spec.containers{${container}}`,
        },
        type: isFine ? 'Normal' : 'Warning',
        reason: isFine && verb !== 'restart' ? reasonOfVerb[verb] : reasonOf[result.outcome],
        message: eventMessage({ verb, container, result }),
        source: { component: 'hotexec' },
        reportingComponent: 'hotexec',
        reportingInstance: '',
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
      },
    },
    v.unknown(),
  );
}

const reasonOfVerb: Readonly<Record<Exclude<TracedVerb, 'restart'>, string>> = {
  replace: 'HotexecReplaced',
  rollback: 'HotexecWentBack',
};

// The API server takes 1024 bytes of it.
const longestMessage = 1000;

/** Pure. */
export function eventMessage({ verb, container, result }: Trace): string {
  const what = doing[verb];
  const outcome = {
    restarted: doneBy[verb],
    unchanged: `${what} failed, and the program runs on, unchanged`,
    'rolled-back': `${what} failed, and the previous program runs again`,
    stopped: 'was stopped by somebody else meanwhile',
    lost: `${what} failed, and the process is gone`,
  }[result.outcome];
  const files = result.files.map(({ path, digest }) => `${path} sha256:${digest ?? 'none'}`);
  const code = result.error === null ? [] : [`error ${result.error.code}`];
  const hooks = result.hooks.filter(({ end }) => end !== 'succeeded').map(({ hook, end }) => `${hook} hook ${end}`);
  const parts = [
    `Main process of container ${container}: ${outcome}`,
    ...code,
    ...hooks,
    `operation ${result.operationId}`,
    ...files,
  ];
  return parts.join('; ').slice(0, longestMessage);
}

const doing: Readonly<Record<TracedVerb, string>> = {
  restart: 'its restart in place',
  replace: 'its replacement in place',
  rollback: 'going back in place',
};

const doneBy: Readonly<Record<TracedVerb, string>> = {
  restart: 'restarted in place',
  replace: 'replaced in place',
  rollback: 'went back to an earlier program, in place',
};

/** So that the pod itself tells that it does not run what its image says. Who may not write it leaves none. */
async function annotate({ verb, container, result }: Trace, { metadata }: Pod, api: ClusterApi): Promise<void> {
  if (result.outcome !== 'restarted') return;
  const { namespace, name, uid } = metadata;
  const { operationId, container: ran } = result;
  const change: Change = { verb, at: new Date().toISOString(), operationId, container: ran?.id ?? null };
  const annotations = { [changeKey(container)]: JSON.stringify(change) };
  try {
    await api.send(
      {
        method: 'PATCH',
        path: apiPath(['api', 'v1', 'namespaces', namespace, 'pods', name], { fieldManager: 'hotexec' }),
        contentType: 'application/merge-patch+json',
        body: { metadata: { uid, annotations } },
      },
      v.unknown(),
    );
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return;
    throw error;
  }
}
