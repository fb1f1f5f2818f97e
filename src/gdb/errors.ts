// How it can fail to work with gdb. What that means for the target is for the engine to say.

/** gdb has ended, or was ended because it did not answer in time. What it held goes on as the kernel lets it. */
export class GdbEnded extends Error {
  override readonly name = 'GdbEnded';
}

/** Among what went wrong, the first thing and what failed because of it; null: gdb is not at fault. */
export function endOfGdb(thrown: unknown): GdbEnded | null {
  if (thrown instanceof GdbEnded) return thrown;
  return thrown instanceof SuppressedError ? (endOfGdb(thrown.suppressed) ?? endOfGdb(thrown.error)) : null;
}

/** gdb is well, and says no: `^error`. */
export class GdbRefused extends Error {
  override readonly name = 'GdbRefused';
}
