// The CPU an ELF file is for: e_machine (include/uapi/linux/elf-em.h).

export type Machine =
  | 'i386'
  | 'mips'
  | 'powerpc'
  | 'powerpc64'
  | 's390'
  | 'arm'
  | 'sparc64'
  | 'x86-64'
  | 'aarch64'
  | 'riscv'
  | 'loongarch'
  | 'unknown';

const MACHINES: ReadonlyMap<number, Machine> = new Map([
  [3, 'i386'],
  [8, 'mips'],
  [20, 'powerpc'],
  [21, 'powerpc64'],
  [22, 's390'],
  [40, 'arm'],
  [43, 'sparc64'],
  [62, 'x86-64'],
  [183, 'aarch64'],
  [243, 'riscv'],
  [258, 'loongarch'],
]);

/** The name of an e_machine number. x32 programs are `x86-64` too; their class is 32. */
export function machineName(machineNumber: number): Machine {
  return MACHINES.get(machineNumber) ?? 'unknown';
}
