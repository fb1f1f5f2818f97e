// What is thrown where no container runtime is there to ask.
import type { HotexecError } from '../../errors.ts';
import { refusal } from '../refusal.ts';

/** None of the sockets is there. */
export function noRuntime(what: string): HotexecError {
  return refusal(
    'runtime-unreachable',
    `No container runtime is here to ask for ${what}: none of their sockets exists.`,
    'Name its socket: --runtime-endpoint unix:///PATH, or CONTAINER_RUNTIME_ENDPOINT. hotexec doctor shows which were looked for.',
  );
}
