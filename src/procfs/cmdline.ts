// /proc/PID/cmdline and environ: the fallback when the initial stack cannot be read. They show the strings as they are
// now, without the pointers to check them by, so a doubtful form counts as overwritten.
import { isAssignment, splitWords, type Words } from './words.ts';

/** Parses cmdline. The kernel ends it without a NUL once a process has written over the last one (get_mm_cmdline). */
export function parseCmdline(bytes: Buffer): Words {
  const words = splitWords(bytes);
  if (words === undefined) return overwritten('cmdline does not end in a NUL: the process has rewritten it');
  const [first, ...rest] = words;
  if (first === undefined) return overwritten('cmdline is empty: a kernel thread, a zombie, or erased');
  // `nginx: master process\0\0\0`: a title is padded with NULs up to the room the arguments had.
  if (rest.length > 0 && rest.every((word) => word.length === 0)) {
    return overwritten('cmdline is one word and only NULs behind it, as process titles are written');
  }
  return { kind: 'intact', words };
}

/** Parses environ; empty is a legal environment. */
export function parseEnviron(bytes: Buffer): Words {
  const words = splitWords(bytes);
  if (words === undefined) return overwritten('environ does not end in a NUL: the process has rewritten it');
  const odd = words.findIndex((word) => !isAssignment(word));
  if (odd !== -1) return overwritten(`entry ${odd} of ${words.length} of environ is not NAME=value`);
  return { kind: 'intact', words };
}

function overwritten(why: string): Words {
  return { kind: 'overwritten', why };
}
