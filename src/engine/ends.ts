// What a signal or an exit of a watched program means: something of its own, its end, or somebody who stops the container. Pure.
import { constants } from 'node:os';
import type { SignalInfo } from '../tracer/ptrace/requests.ts';
import { signalBit, SIGCHLD, SIGCONT } from '../tracer/signals.ts';

const {
  SIGABRT,
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGSEGV,
  SIGSYS,
  SIGTRAP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGSTOP,
  SIGURG,
  SIGWINCH,
} = constants.signals;

/** Their default is to do nothing, or to stop or go on (signal(7)). */
const harmless: ReadonlySet<number> = new Set([SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH]);
/** The kernel sends these for what an instruction has done, and gives up an init's protection for them (kernel/signal.c force_sig_info). */
const faults: ReadonlySet<number> = new Set([SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP]);

/** Whatever the program has made of it: such a signal ends nothing. */
export function isHarmless(signal: number): boolean {
  return harmless.has(signal);
}

/** As the terminal sends them, for Ctrl-C, Ctrl-\\ and a hang-up. */
const fromTerminal: ReadonlySet<number> = new Set([SIGINT, SIGQUIT, SIGHUP]);
const SI_KERNEL = 0x80;

export interface Dispositions {
  /** Bit n-1: signal n has a handler. */
  readonly caught: bigint;
  readonly ignored: bigint;
  /** The first process of its pid namespace: the kernel spares it signals without a handler (pid_namespaces(7)). */
  readonly isInit: boolean;
  /** It has been told to finish. */
  readonly finishing: boolean;
  /** Pids, as the program sees them, of itself and its descendants. */
  readonly family: ReadonlySet<number>;
  /** What stops this container. */
  readonly stopSignals: readonly number[];
}

/** `deliver`: let it have it. `fatal`: it would end the program. `stop`: somebody else wants the container to stop, or the program to end. */
export type SignalMeaning = 'deliver' | 'fatal' | 'stop';

export function meaningOf(signal: number, info: SignalInfo, dispositions: Dispositions): SignalMeaning {
  const { caught, ignored, isInit, finishing, family, stopSignals } = dispositions;
  const sent = info.code <= 0;
  const byOthers = (sent && !family.has(info.senderPid)) || (info.code === SI_KERNEL && fromTerminal.has(signal));
  if (byOthers && stopSignals.includes(signal)) return 'stop';
  if (harmless.has(signal) || ((caught | ignored) & signalBit(signal)) !== 0n) return 'deliver';
  if (!isInit) return byOthers ? 'stop' : 'fatal';
  if (faults.has(signal) && !sent) return 'fatal';
  // An init that sends itself what would end another (Node does so at the end of its handler for SIGTERM) is let live by the kernel, and
  // goes on for ever. After abort(3) the C library ends it by a fault.
  return (finishing || signal === SIGABRT) && family.has(info.senderPid) ? 'fatal' : 'deliver';
}

/**
 * An exit with 0 of a program that is meant to end is success. One that should serve (its predecessor listened), or that leaves children
 * behind (it has made itself a daemon), has failed: its container would end with it.
 */
export function isFailedExit(
  code: number,
  { serves, leavesChildren }: { readonly serves: boolean; readonly leavesChildren: boolean },
): boolean {
  return code !== 0 || serves || leavesChildren;
}
