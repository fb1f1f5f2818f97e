// hotexec agent serve [--ttl DURATION]: the main process of the agent's container. Not for people: help does not list it.
import { serveAgent } from '../agent/serve.ts';
import { runtimeDirectory } from '../protocol/runtime-directory.ts';
import type { CliContext } from './context.ts';
import { parseDurationMs } from './duration.ts';
import { usageError } from './usage.ts';
import { version } from '../connect/version.ts';

export interface AgentInvocation {
  readonly flags: { readonly ttl: string };
}

/** A connection that is idle says something every five seconds. */
const [shortestTtlMs, longestTtlMs] = [1000, 7 * 24 * 3_600_000];

export async function runAgent({ flags }: AgentInvocation, context: CliContext): Promise<number> {
  const ttlMs = parseDurationMs(flags.ttl);
  if (ttlMs === undefined || ttlMs < shortestTtlMs || ttlMs > longestTtlMs)
    throw usageError(`--ttl ${JSON.stringify(flags.ttl)} is not a duration from 1s to 168h.`, 'For example: 15m, 1h');
  const { env, host, proc, signal, startEngine, stderr } = context;
  await serveAgent({
    runtimeDirectory: runtimeDirectory(env, host.uid),
    uid: host.uid,
    version,
    ttlMs,
    proc,
    ownStartMs: performance.timeOrigin,
    startEngine,
    signal,
    onReady: (socket) => stderr.write(`hotexec ${version}: the agent listens on ${socket}\n`),
  });
  // It stands in the log of the container, which stays.
  const why = signal.aborted ? 'it was told to' : `nobody has used it for ${flags.ttl}`;
  stderr.write(`hotexec ${version}: the agent has ended: ${why}\n`);
  return 0;
}
