// hotexec agent relay, without anything of the rest of the command line: it is started for every command that goes to a pod.
import { relay } from '../agent/relay.ts';
import { agentSocket } from '../agent/places.ts';
import { runtimeDirectory } from '../protocol/runtime-directory.ts';

export async function runRelay(): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const uid = process.getuid?.() ?? -1;
  // Its client has gone: that is no error, and nobody could be told.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  process.exit(await relay(agentSocket(runtimeDirectory(env, uid)), { stdin, stdout, stderr }));
}
