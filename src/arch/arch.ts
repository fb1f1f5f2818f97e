// The CPU this engine runs on. x86-64 is the only one so far; the engine refuses others before it does anything.
import type { Architecture } from './architecture.ts';
import { x64, type SyscallName } from './x64.ts';

export type { SyscallName };

export const arch: Architecture<SyscallName> = x64;
