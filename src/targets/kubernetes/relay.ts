// The way to an agent: an exec of the relay in its container, with a command line that is always the same.
import { once } from 'node:events';
import { HotexecError } from '../../errors.ts';
import { ApiError, type ClusterApi } from './api.ts';
import { openExec, type ExecStream } from './exec.ts';
import { podName, type Pod } from './pod.ts';
import { refusalOf } from './refusal.ts';

export interface RelayPlace {
  readonly pod: Pod;
  readonly api: ClusterApi;
  /** The agent's container. */
  readonly agent: string;
}

// Stands in the audit log; all that is secret goes by its standard input.
const relay = ['hotexec', 'agent', 'relay'] as const;

/** Throws HotexecError where it is refused or the agent has ended, another error where it may go another time. */
export async function openRelay({ pod, api, agent }: RelayPlace, signal: AbortSignal): Promise<ExecStream> {
  const { namespace, name } = pod.metadata;
  const failure = (message: string): Error =>
    isEnded.test(message) ? agentEnded(pod, agent, message) : new Error(message);
  try {
    return await openExec(api.cluster, { namespace, pod: name, container: agent, command: relay }, { signal, failure });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (isEnded.test(error.message)) throw agentEnded(pod, agent, error.message);
    // Otherwise a server that cannot now may be able to later.
    if (error.status >= 500) throw error;
    throw refusalOf(error, { target: podName(pod), namespace, what: 'create pods/exec' });
  }
}

// As the kubelet and runtimes say it of a container that does not run.
const isEnded = /container not found|container is not running|in CONTAINER_EXITED state|completed pod/i;

function agentEnded(pod: Pod, agent: string, why: string): HotexecError {
  return new HotexecError({
    code: 'agent-unreachable',
    message: `${podName(pod)}: the agent (ephemeral container ${agent}) has just ended: ${why}. Nothing was touched.`,
    hint: 'Run the command again: it gets a successor.',
    details: { agentEnded: agent },
  });
}

/** A relay waits for the agent, and the node may be busy with starting it. */
const firstWordMs = 5000;

/**
 * The same to an agent that is perhaps not there yet: the kubelet knows of a container as soon as that runs, and tells the API server up to a second later.
 * Null: it does not answer, for whatever reason; the pod's status may have that. Throws HotexecError where it is refused.
 */
export async function tryRelay(place: RelayPlace, signal: AbortSignal): Promise<ExecStream | null> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(firstWordMs)]);
  const stream = await openRelay(place, inTime).catch((error: unknown) => {
    if (error instanceof HotexecError && error.details['agentEnded'] === undefined) throw error;
    return null;
  });
  if (stream === null || (await speaks(stream, inTime))) return stream;
  stream.close();
  return null;
}

/** The agent says hello unasked. */
async function speaks({ readable }: ExecStream, signal: AbortSignal): Promise<boolean> {
  try {
    await once(readable, 'readable', { signal });
    return readable.readableLength > 0;
  } catch {
    return false; // it failed, or it took too long
  }
}
