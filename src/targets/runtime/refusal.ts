// What is thrown where a container is not found, or may not be touched.
import { HotexecError } from '../../errors.ts';

/** For a rejection that must be one; anything else is a bug, and thrown. */
export function asHotexecError(reason: unknown): HotexecError {
  if (reason instanceof HotexecError) return reason;
  throw reason;
}

/** Nothing was touched: it was only looked for. */
export function refusal(code: HotexecError['code'], message: string, hint: string | null): HotexecError {
  return new HotexecError({ code, message: `${message} Nothing was touched.`, hint });
}

/** None of the sockets is there. */
export function noRuntime(what: string): HotexecError {
  return refusal(
    'runtime-unreachable',
    `No container runtime is here to ask for ${what}: none of their sockets exists.`,
    'Name its socket: --runtime-endpoint unix:///PATH, or CONTAINER_RUNTIME_ENDPOINT. hotexec doctor shows which were looked for.',
  );
}
