// Machine code of x86-64 that ends a program: 231 (exit_group) on its way into eax, and a `syscall` right behind. What a C library, Go's
// runtime or a program without either has compiled in; no symbol is needed, so a stripped program is no different. Pure.

const exitGroup = Uint8Array.of(0xe7, 0, 0, 0);
const longestWay = 64;

/**
 * Offsets of the instructions that load 231, ascending. From each of them on, whatever happens leads to exit_group, with the exit code in
 * edi: `mov $231,%eax; syscall` (Go, musl, glibc's start code), or by another register with `mov %esi,%eax; syscall` a little further on
 * (glibc's _exit).
 */
export function findExitCode(code: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = code.indexOf(exitGroup); at >= 0; at = code.indexOf(exitGroup, at + 1)) {
    const start = at - 1;
    if (start < 0) continue;
    const register = registerLoaded(code, start);
    if (register === undefined) continue;
    const behind = code.subarray(at + 4, at + 4 + longestWay);
    if (leadsToSyscall(behind, register)) found.push(register < 8 ? start : start - 1);
  }
  return found;
}

/** `mov $imm32,%r32` is B8+r, with 41 in front for r8d-r15d. */
function registerLoaded(code: Buffer, at: number): number | undefined {
  const opcode = code[at] ?? 0;
  if (opcode < 0xb8 || opcode > 0xbf) return undefined;
  return opcode - 0xb8 + (code[at - 1] === 0x41 ? 8 : 0);
}

function leadsToSyscall(behind: Buffer, register: number): boolean {
  if (register === 0) return behind[0] === 0x0f && behind[1] === 0x05;
  const low = 0xc0 | ((register & 7) << 3);
  const move = register < 8 ? [0x89, low] : [0x44, 0x89, low];
  return behind.includes(Buffer.from([...move, 0x0f, 0x05]));
}
