// What cannot be asked of a gdb: it replaces a program, and does not watch one.
import { HotexecError } from '../errors.ts';
import type { RestartOptions } from '../protocol/request.ts';

/** How the caller writes these options. */
export interface OptionNames {
  readonly gdb: string;
  readonly noDrain: string;
  readonly probation: string;
  readonly probe: string;
}

/** Throws usage. */
export function checkDriver(
  { driver, drain, probationMs, probe }: RestartOptions,
  { gdb, noDrain, probation, probe: probeName }: OptionNames,
): void {
  if (driver !== 'gdb') return;
  if (drain)
    throw usage(
      `${gdb} needs ${noDrain}: a gdb cannot follow a program through its shutdown.`,
      `The old program is then replaced at once. Without ${gdb} it may finish first.`,
    );
  const asked = probe !== null ? probeName : probationMs !== null && probationMs !== 0 ? probation : null;
  if (asked !== null)
    throw usage(
      `${gdb} cannot have ${asked}: gdb lets the new program go at its first instruction, and nobody watches it.`,
      null,
    );
}

function usage(message: string, hint: string | null): HotexecError {
  return new HotexecError({ code: 'usage', message, hint });
}
