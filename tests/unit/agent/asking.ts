// What the tests of the agent ask and hear.
import { randomUUID } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Channel } from '../../../src/agent/channel.ts';
import { parseAgentMessage } from '../../../src/agent/messages.ts';
import { HotexecError } from '../../../src/errors.ts';
import type { Listening, RestartAsked } from '../../../src/front/front.ts';
import { agentProtocol, type AgentMessage, type ClientMessage } from '../../../src/protocol/agent.ts';
import type { HotexecEvent } from '../../../src/protocol/event.ts';
import { defaultRestartOptions, sameProgram } from '../../../src/protocol/request.ts';
import type { LocalAgent } from '../../support/local-agent.ts';
import { tempDirectory } from '../../support/temp.ts';

export function asking(source?: string): RestartAsked {
  const replacement = source === undefined ? null : ({ source, inMemory: 'auto' } as const);
  return { operationId: randomUUID(), program: { ...sameProgram, replacement }, options: defaultRestartOptions };
}

export function withHooks(kind: 'exec'): RestartAsked {
  const options = { ...defaultRestartOptions, runHooks: true, hooks: { preStop: { kind }, postStart: null } };
  return { ...asking(), options };
}

export interface Heard extends Listening {
  readonly events: readonly HotexecEvent[];
}

export function listening(
  onEvent: (event: HotexecEvent) => void = () => {},
  signal: Listening['signal'] = new AbortController().signal,
): Heard {
  const events: HotexecEvent[] = [];
  return {
    events,
    signal,
    onEvent: (event) => {
      events.push(event);
      onEvent(event);
    },
  };
}

export async function errorOf(promise: Promise<unknown>): Promise<HotexecError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (error instanceof HotexecError) return error;
  throw new Error('it did not fail as it should', { cause: error });
}

/** A file of so many bytes. */
export function fileOf(sizeBytes: number): string {
  const path = join(tempDirectory(), 'app');
  writeFileSync(path, Buffer.alloc(sizeBytes, 'hotexec '));
  return path;
}

/** What is said to the agent without its client, and what it answers. */
export async function talk(agent: LocalAgent, ...said: readonly ClientMessage[]): Promise<readonly AgentMessage[]> {
  const socket = connect({ path: agent.socket, allowHalfOpen: true });
  const channel = new Channel<ClientMessage>({ readable: socket, writable: socket, close: () => socket.destroy() });
  for (const message of said) await channel.send(message);
  socket.end();
  const answers: AgentMessage[] = [];
  for await (const frame of channel.frames()) if (frame.kind === 'message') answers.push(parseAgentMessage(frame.text));
  return answers;
}

export const hello: Extract<ClientMessage, { kind: 'hello' }> = {
  kind: 'hello',
  protocol: agentProtocol,
  version: '1.2.3',
};

export function uploadsIn({ directory }: LocalAgent): readonly string[] {
  return readdirSync(join(directory, 'uploads'));
}
