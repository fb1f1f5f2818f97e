import { describe, expect, it } from 'vitest';
import { decodeStatus } from '../../../src/tracer/ptrace/wait.ts';

const SIGTRAP = 5;
const stoppedBy = (signal: number, event = 0): number => (event << 16) | (signal << 8) | 0x7f;

// wait(2) and ptrace(2).
describe('a wait status says', () => {
  it.each([
    ['exited with 0', 0x0000, { kind: 'exited', code: 0 }],
    ['exited with 255', 0xff00, { kind: 'exited', code: 255 }],
    ['killed by SIGKILL', 9, { kind: 'killed', signal: 9 }],
    ['killed by SIGSEGV, with a core dump', 0x80 | 11, { kind: 'killed', signal: 11 }],
    ['killed by the last signal', 64, { kind: 'killed', signal: 64 }],
    ['about to get SIGTERM', stoppedBy(15), { kind: 'signal', signal: 15 }],
    ['about to get a SIGTRAP of its own', stoppedBy(SIGTRAP), { kind: 'signal', signal: SIGTRAP }],
    ['at a system call (PTRACE_O_TRACESYSGOOD)', stoppedBy(SIGTRAP | 0x80), { kind: 'syscall' }],
    ['forked', stoppedBy(SIGTRAP, 1), { kind: 'clone' }],
    ['vforked', stoppedBy(SIGTRAP, 2), { kind: 'clone' }],
    ['cloned', stoppedBy(SIGTRAP, 3), { kind: 'clone' }],
    ['at an exec', stoppedBy(SIGTRAP, 4), { kind: 'exec' }],
    ['interrupted (PTRACE_EVENT_STOP)', stoppedBy(SIGTRAP, 128), { kind: 'stop', signal: SIGTRAP }],
    ['in a group-stop', stoppedBy(19, 128), { kind: 'stop', signal: 19 }],
    ['in a group-stop by the terminal', stoppedBy(21, 128), { kind: 'stop', signal: 21 }],
  ])('%s', (_, status, expected) => {
    expect(decodeStatus(77, status)).toStrictEqual({ tid: 77, ...expected });
  });
});
