// Interval timers and the per-process switches of prctl(2) and unshare(2) that pass through execve.
import { attempt, report, type Reset } from './context.ts';

const CLONE_SYSVSEM = 0x4_0000;
const SEM_INFO = 19;
const PR_SET_PDEATHSIG = 1;
const PR_SET_TSC = 26;
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
const PR_MCE_KILL = 33;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_SET_THP_DISABLE = 41;
const PR_GET_MDWE = 66;
const PR_SET_MEMORY_MERGE = 67;
const PR_TSC_ENABLE = 1;

export function resetTimers(reset: Reset): void {
  // ITIMER_REAL, VIRTUAL, PROF; nothing outside tells whether one runs.
  for (const timer of [0, 1, 2]) {
    if (!attempt(reset, 'setitimer', timer, reset.room, 0))
      report(reset, 'itimer', `interval timer ${timer} could not be stopped`);
  }
}

export function resetProcessFlags(reset: Reset): void {
  const { status, observed } = reset;
  if (!attempt(reset, 'prctl', PR_SET_PDEATHSIG, 0, 0, 0, 0))
    report(reset, 'pdeathsig', 'the parent-death signal could not be cleared');
  if (!attempt(reset, 'prctl', PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0))
    report(reset, 'subreaper', 'the child-subreaper flag could not be cleared');
  if (status.thpEnabled === false && !attempt(reset, 'prctl', PR_SET_THP_DISABLE, 0, 0, 0, 0)) {
    report(reset, 'thp-disable', 'transparent huge pages stay disabled');
  }
  attempt(reset, 'prctl', PR_MCE_KILL, 0, 0, 0, 0);
  attempt(reset, 'prctl', PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
  if (observed.environment.ksmMergeAny) attempt(reset, 'prctl', PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
  resetSecurebits(reset);
  resetSemaphores(reset);
  const mdwe = reset.held.thread.call('prctl', PR_GET_MDWE, 0, 0, 0, 0);
  if (mdwe > 0) report(reset, 'mdwe', 'memory-deny-write-execute is set and can never be cleared');
  const policy = observed.environment.memoryPolicy ?? 'default';
  if (policy !== 'default' && !attempt(reset, 'set_mempolicy', 0, 0, 0)) {
    report(reset, 'mempolicy', 'the NUMA memory policy could not be reset');
  }
  const speculation = status.speculationStoreBypass ?? '';
  if (/force mitigated/.test(speculation) && observed.target.spec?.noNewPrivileges !== true) {
    report(reset, 'speculation', `speculation control stays: ${speculation}`);
  }
}

function resetSecurebits(reset: Reset): void {
  const bits = reset.held.thread.call('prctl', PR_GET_SECUREBITS, 0, 0, 0, 0);
  if (bits > 0 && !attempt(reset, 'prctl', PR_SET_SECUREBITS, 0, 0, 0, 0)) {
    report(reset, 'securebits', `securebits stay 0x${bits.toString(16)}: they are locked or CAP_SETPCAP is missing`);
  }
}

/** Applies the undo list of System V semaphores now, as the end of the old program would have. */
function resetSemaphores(reset: Reset): void {
  if (attempt(reset, 'unshare', CLONE_SYSVSEM)) return;
  // Default profiles forbid unshare; without a semaphore in the namespace there is nothing to undo.
  const used = reset.held.thread.call('semctl', 0, 0, SEM_INFO, reset.room);
  const info = used < 0 ? used : reset.held.thread.read(reset.room, 40);
  const sets = typeof info === 'number' ? 0 : info.readInt32LE(28);
  if (sets > 0)
    report(reset, 'sem-undo', 'the undo list of System V semaphores could not be applied (unshare is not permitted)');
  reset.held.thread.write(reset.room, Buffer.alloc(256));
}
