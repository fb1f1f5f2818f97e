// The syscall instruction that the target itself has: found before the hold.
import { HotexecError } from '../errors.ts';
import { findSyscallInstruction } from '../remote/instruction.ts';
import type { Observed } from './observe.ts';

export function syscallInstruction(observed: Observed): bigint {
  const address = findSyscallInstruction(observed.tid);
  if (address !== undefined) return address;
  throw new HotexecError({
    code: 'architecture-unsupported',
    message: `${observed.target.name}: no syscall instruction is to be found in the code of process ${observed.target.pid}, and hotexec writes none. Nothing was touched.`,
    hint: null,
  });
}
