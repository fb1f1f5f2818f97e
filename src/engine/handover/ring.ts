// A bind made through an io_uring is no system call: nobody answers it, and it meets the held socket (IORING_OP_BIND, since Linux 6.11).
// Node has rings in every process and binds through none, so what a ring was used for is looked up.
import { closeSync, readFileSync } from 'node:fs';
import { pullDescriptor } from '../../native/sockets.ts';
import { ringOperations } from '../../native/ring.ts';
import { descriptorTarget, listDescriptors } from '../descriptors.ts';

const IORING_OP_BIND = 56;
/** IORING_MAX_ENTRIES */
const mostEntries = 32_768;

/** Whether the process may have bound a socket through a ring; where that cannot be seen, it may. */
export function mayHaveBoundByRing(pid: number): boolean {
  return listDescriptors(pid).some(
    ({ fd }) => descriptorTarget(pid, fd) === 'anon_inode:[io_uring]' && mayHaveBound(pid, fd),
  );
}

function mayHaveBound(pid: number, fd: number): boolean {
  const { entries, submitted } = parseRing(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'));
  if (submitted === 0) return false;
  // Entries are used in turn: up to here none was used twice.
  if (submitted > entries || entries > mostEntries) return true;
  const copy = pullDescriptor(pid, pid, fd);
  if (copy < 0) return true;
  try {
    const operations = ringOperations(copy, entries);
    return typeof operations === 'number' || operations.includes(IORING_OP_BIND);
  } finally {
    closeSync(copy);
  }
}

/** From fdinfo (io_uring/fdinfo.c). Not a ring's: as if it had been used without end. */
export function parseRing(fdinfo: string): { readonly entries: number; readonly submitted: number } {
  const mask = /^SqMask:\s*0x([\da-f]+)$/m.exec(fdinfo)?.[1];
  const tail = /^SqTail:\s*(\d+)$/m.exec(fdinfo)?.[1];
  return {
    entries: mask === undefined ? 0 : Number.parseInt(mask, 16) + 1,
    submitted: tail === undefined ? Number.POSITIVE_INFINITY : Number(tail),
  };
}
