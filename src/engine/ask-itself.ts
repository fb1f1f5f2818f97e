// The stop signal where hotexec may trace the program but not signal it (another user's, without CAP_KILL): the program sends it to itself,
// in a short hold.
import { readFileSync } from 'node:fs';
import { HotexecError } from '../errors.ts';
import { describeErrno } from '../native/errno.ts';
import { parseStatus } from '../procfs/status.ts';
import { signalBit, signalName } from '../tracer/signals.ts';
import { threadState } from '../tracer/thread-states.ts';
import { Tracee } from '../tracer/tracee.ts';
import type { TracedProcess } from '../tracer/traced-process.ts';
import { innermostPid } from './descendants.ts';
import { Held, type Watches } from './held.ts';
import { readFilters } from './seccomp.ts';
import { syscallInstruction } from './vdso.ts';
import type { Work } from './work.ts';

const stopDeadlineMs = 1_000;

/** Its threads run traced, before and after. Throws remote-call-failed or StopTimeout. */
export function askItself(
  { observed, journal, host }: Work,
  process: TracedProcess,
  { signal, tracing }: { readonly signal: number; readonly tracing: Watches['tracing'] },
): void {
  const { pid } = process;
  const inside = innermostPid(pid) ?? pid;
  const instruction = syscallInstruction(observed);
  const tid = process.stopOne(performance.now() + stopDeadlineMs, { passesSignals: true });
  const held = new Held(pid, new Tracee(tid), journal);
  held.staysTraced = tracing;
  held.allows = readFilters(observed, tid);
  {
    using asking = held;
    using _stopped = asking.stopAll(false);
    using _registers = asking.borrow(instruction, host.observer);
    // As the kernel gives what is sent to the whole process (kernel/signal.c, complete_signal); it passes over a thread at a trace stop.
    const answer = mainThreadTakes(pid, signal)
      ? asking.thread.call('tgkill', inside, inside, signal)
      : asking.thread.call('kill', inside, signal);
    if (answer < 0) throw notAsked(signal, answer);
  }
  process.go(tid);
}

function mainThreadTakes(pid: number, signal: number): boolean {
  if ('ZX'.includes(threadState(pid, pid))) return false;
  const { sigBlk = 0n } = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (sigBlk & signalBit(signal)) === 0n;
}

function notAsked(signal: number, answer: number): HotexecError {
  return new HotexecError({
    code: 'remote-call-failed',
    message: `the program could not be asked to finish: sending itself ${signalName(signal)} answered ${describeErrno(answer)}. It runs on unchanged.`,
    hint: 'hotexec may not send it signals here (CAP_KILL); --no-drain restarts it without asking',
  });
}
