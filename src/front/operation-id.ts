// The name of one operation, in its events and its journal.
import { readFileSync } from 'node:fs';

/** A random UUID from the kernel: loading node:crypto (all of OpenSSL) for one costs 10 ms (measured, Node 24). */
export function newOperationId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();
  } catch {
    return crypto.randomUUID(); // a laptop without Linux: what it restarts is in a pod
  }
}

/** Letters, digits, `_` and `-`, 64 at most: it becomes a directory's name. */
export const operationIdPattern: RegExp = /^[\w-]{1,64}$/;
