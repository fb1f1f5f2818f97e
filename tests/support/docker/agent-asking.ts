// What is asked of an agent in a test, and what is heard of it.
import { randomUUID } from 'node:crypto';
import { HotexecError } from '../../../src/errors.ts';
import type { Listening, RestartAsked } from '../../../src/front/front.ts';
import type { HotexecEvent } from '../../../src/protocol/event.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type ProgramChange,
  type RestartOptions,
} from '../../../src/protocol/request.ts';

const options: RestartOptions = { ...defaultRestartOptions, probationMs: 0 };

/** What is heard, and what is done at an event. */
export function listening(
  onEvent: (event: HotexecEvent) => void = () => {},
): Listening & { readonly events: HotexecEvent[] } {
  const events: HotexecEvent[] = [];
  return {
    events,
    signal: new AbortController().signal,
    onEvent: (event) => {
      events.push(event);
      onEvent(event);
    },
  };
}

export function replacing(source: string, files: ProgramChange['files'] = []): ProgramChange {
  return { ...sameProgram, replacement: { source, inMemory: 'auto' }, files };
}

export function asking(program: ProgramChange = sameProgram, more: Partial<RestartOptions> = {}): RestartAsked {
  return { operationId: randomUUID(), program, options: { ...options, ...more } };
}

export async function failureOf(promise: Promise<unknown>): Promise<HotexecError> {
  const error = await promise.then(
    (value) => value,
    (reason: unknown) => reason,
  );
  if (error instanceof HotexecError) return error;
  throw new Error(`no HotexecError: ${JSON.stringify(error)}`, { cause: error });
}
