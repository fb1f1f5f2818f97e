// What runs now, as the record of programs wants it: which life of the process, and how it would be started again.
import { HotexecError } from '../errors.ts';
import { boundProgram } from '../history/bound.ts';
import { recordProgram, type RecordedProgram, type Running } from '../history/entry.ts';
import { bootId } from '../history/key.ts';
import { readRun } from '../history/run.ts';
import { sameProgram } from '../protocol/request.ts';
import { ProcessRoot } from '../rootfs/open.ts';
import type { Observed } from './observe.ts';
import { chooseProgram } from './program.ts';
import { homeDirectory, lookUpFile } from './startable.ts';

export function runningOf(observed: Observed): Running {
  const { pid, startTicks } = observed.target;
  // Of a leader that has ended before its threads the stack shows as 0.
  const startStack = readRun(observed.tid)?.startStack ?? '0x0';
  return {
    run: { pid, startTicks, bootId: bootId(), startStack },
    program: programOf(observed),
  };
}

function programOf(observed: Observed): RecordedProgram {
  const { exe, cwd } = observed.program;
  try {
    using root = new ProcessRoot(observed.tid);
    const { program } = chooseProgram(observed, sameProgram, {
      look: (path) => lookUpFile(root, path),
      homeOf: (uid) => homeDirectory(root, uid),
    });
    return boundProgram(recordProgram({ ...program, cwd: program.cwd ?? cwd }));
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    return { kind: 'unknown', exe, cwd, why: 'the process does not tell how it was started' };
  }
}
