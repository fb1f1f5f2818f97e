// /proc/PID/stat and /proc/PID/task/TID/stat. The one trap: comm (field 2) is not escaped and may hold spaces,
// parentheses and line breaks, so the fields begin after the last ')'. Field numbers are those of proc_pid_stat(5).
import { parseBigInteger, parseInteger } from './numbers.ts';
import { ParseError } from './parse-error.ts';

/** The letters of task_state_array (fs/proc/array.c), older kernels' included. */
const TASK_STATES = ['R', 'S', 'D', 'T', 't', 'Z', 'X', 'x', 'K', 'W', 'P', 'I'] as const;

/** `?` stands for a letter that is younger than this list. */
export type TaskState = (typeof TASK_STATES)[number] | '?';

export interface ProcessStat {
  readonly pid: number;
  readonly comm: string;
  readonly state: TaskState;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** Device number of the controlling terminal, 0 for none. */
  readonly ttyNr: number;
  /** PF_* of include/linux/sched.h. */
  readonly flags: number;
  /** CPU time that it has used, by itself and in the kernel, in clock ticks (utime and stime; USER_HZ, 100 a second). */
  readonly cpuTicks: number;
  readonly numThreads: number;
  /** Start time in clock ticks since boot: with the pid it names a process for good. */
  readonly startTicks: number;
  readonly vsizeBytes: bigint;
  readonly rssPages: number;
  /** Where argc lies (mm->start_stack). This and all addresses below are 0 without ptrace access. */
  readonly startStack: bigint;
  /** Instruction pointer; 0 unless the process is exiting or has dumped core. */
  readonly kstkeip: bigint;
  /** Signal sent to the parent at the end: 17 (SIGCHLD), or -1 for a thread that leads no process. */
  readonly exitSignal: number;
  readonly startCode: bigint;
  readonly endCode: bigint;
  readonly startData: bigint;
  readonly endData: bigint;
  readonly startBrk: bigint;
  readonly argStart: bigint;
  readonly argEnd: bigint;
  readonly envStart: bigint;
  readonly envEnd: bigint;
}

const SOURCE = 'stat';
const PF_KTHREAD = 0x20_0000;

/** Parses the one line of a stat file. Throws ParseError on anything the kernel (3.5 or later) does not write. */
export function parseStat(text: string): ProcessStat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open === -1 || close < open) throw new ParseError(SOURCE, 'no name in parentheses', text);
  const fields = text
    .slice(close + 1)
    .trim()
    .split(' ');
  const at = (number: number): string | undefined => fields[number - 3];
  const integer = (number: number): number => parseInteger(SOURCE, at(number));
  const big = (number: number): bigint => parseBigInteger(SOURCE, at(number));
  return {
    pid: parseInteger(SOURCE, text.slice(0, open).trim()),
    comm: text.slice(open + 1, close),
    state: taskState(at(3)),
    ppid: integer(4),
    pgrp: integer(5),
    session: integer(6),
    ttyNr: integer(7),
    flags: integer(9),
    cpuTicks: integer(14) + integer(15),
    numThreads: integer(20),
    startTicks: integer(22),
    vsizeBytes: big(23),
    rssPages: integer(24),
    startCode: big(26),
    endCode: big(27),
    startStack: big(28),
    kstkeip: big(30),
    exitSignal: integer(38),
    startData: big(45),
    endData: big(46),
    startBrk: big(47),
    argStart: big(48),
    argEnd: big(49),
    envStart: big(50),
    envEnd: big(51),
  };
}

/** Whether the process is a kernel thread, which has no program to restart. */
export function isKernelThread(stat: Pick<ProcessStat, 'flags'>): boolean {
  return Math.trunc(stat.flags / PF_KTHREAD) % 2 === 1;
}

function taskState(letter: string | undefined): TaskState {
  if (letter?.length !== 1) throw new ParseError(SOURCE, 'no state letter', letter ?? '');
  return TASK_STATES.find((state) => state === letter) ?? '?';
}
