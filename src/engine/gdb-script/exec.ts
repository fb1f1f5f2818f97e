// The middle of the script: memory, strings, descriptors, execve.
import { arch } from '../../arch/arch.ts';
import type { Observed } from '../observe.ts';
import { nameOf, type Program } from '../program.ts';
import { MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE, PROT_READ_WRITE } from '../stage.ts';
import { planDescriptors } from '../swap.ts';
import { hex, literal, section, shown } from './line.ts';
import type { Placed, PlacedWord } from './place-words.ts';
import { call, SIG_SETMASK } from './procedures.ts';

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const CLOSE_RANGE_CLOEXEC = 4;
const lastDescriptor = 0xffff_ffff;

export function scratch({ masks, sizeBytes }: Placed): string {
  return section(
    'Scratch memory: a place for strings and pointers that belongs to nobody',
    call(
      'mmap',
      'mmap(address, size, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE, no file): where nothing is mapped.',
      masks,
      sizeBytes,
      PROT_READ_WRITE,
      MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE,
      -1,
    ),
    `if $result != ${hex(masks)}`,
    '  detach',
    '  echo There is no scratch memory to be had. The old program runs on.\\n',
    '  quit 1',
    'end',
    '# From now on no signal comes in between: a mask of all ones. The old mask is kept behind it.',
    `set var {unsigned long}${hex(masks)} = ~0UL`,
    call('rt_sigprocmask', 'rt_sigprocmask(SIG_SETMASK, new, old, 8)', SIG_SETMASK, masks, masks + 8n, 8),
  );
}

/** What execve is given: a path, and two tables of pointers that end with NULL. */
export function strings(
  placed: Placed,
  { stat }: Observed,
  { showEnvironment }: { readonly showEnvironment: boolean },
): string {
  const { path, argv, environment, argvTable, envpTable } = placed;
  const variable = (bytes: Buffer): string => (showEnvironment ? shown(bytes) : `"${nameText(bytes)}=..."`);
  return section(
    'The path, the arguments and the environment of the new program',
    '# The kernel copied those of the running program to the top of its stack, and /proc/PID/stat says where (proc(5)):',
    `#   fields 48 and 49, arg_start ${hex(stat.argStart)} to arg_end ${hex(stat.argEnd)}: the strings of argv, one behind the other, each with a NUL`,
    `#   fields 50 and 51, env_start ${hex(stat.envStart)} to env_end ${hex(stat.envEnd)}: those of environ, in the same way`,
    '# What the new program shares with it stays there and gets only a new pointer. execve copies all of it before the old memory goes.',
    '# The path:',
    ...written(path),
    '# argv:',
    ...argv.flatMap((word, index) =>
      entry(word, { table: argvTable, index, name: `argv[${index}]`, start: 'arg_start', show: shown }),
    ),
    '# environ:',
    ...environment.flatMap((word, index) =>
      entry(word, {
        table: envpTable,
        index,
        name: `envp[${index}]`,
        start: 'env_start',
        show: variable,
        masked: !showEnvironment,
      }),
    ),
    '# The NULL behind the last pointer of each is there: new memory is zero.',
  );
}

interface Entry {
  readonly table: bigint;
  readonly index: number;
  readonly name: string;
  readonly start: 'arg_start' | 'env_start';
  readonly show: (bytes: Buffer) => string;
  /** Its value is not to be shown; such a script ends before it comes here. */
  readonly masked?: boolean;
}

function entry(word: PlacedWord, { table, index, name, start, show, masked = false }: Entry): readonly string[] {
  const where = word.inPlace === null ? 'new' : `as it stands at ${start} + ${word.inPlace}`;
  return [
    `# ${name} = ${show(word.bytes)}, ${where}`,
    ...(word.inPlace === null && !masked ? written(word) : []),
    `set var {unsigned long}${hex(table + BigInt(8 * index))} = ${hex(word.address)}`,
  ];
}

const chunkSizeBytes = 1000;

/** An array is assigned with its NUL, which the next piece overwrites: gdb needs no memory of the target's own allocator for that. */
function written({ bytes, address }: PlacedWord): readonly string[] {
  const chunks = Math.ceil(bytes.length / chunkSizeBytes);
  return Array.from({ length: chunks }, (_, index) => {
    const offset = index * chunkSizeBytes;
    const chunk = bytes.subarray(offset, offset + chunkSizeBytes);
    return `set var {char[${chunk.length + 1}]}${hex(address + BigInt(offset))} = ${literal(chunk)}`;
  });
}

function nameText(word: Buffer): string {
  return literal(Buffer.from(nameOf(word))).slice(1, -1);
}

/** Closed are all but 0, 1, 2 and what stays, and by the exec itself: if that fails, the old program still has them. */
export function descriptors(observed: Observed, keepFds: readonly number[]): string {
  const { set, cleared } = planDescriptors(observed.descriptors, keepFds);
  const each = set.map((fd) => setFlag(fd, FD_CLOEXEC));
  return section(
    `Descriptors: 0, 1, 2${keepFds.length === 0 ? '' : ` and ${keepFds.join(', ')}`} stay, the exec closes the others`,
    ...cleared.map((fd) =>
      call('fcntl', `fcntl(${fd}, F_SETFD, 0): the old program had marked it close-on-exec.`, fd, F_SETFD, 0),
    ),
    ...(set.length === 0 ? ['# All others are marked close-on-exec already.'] : []),
    ...(set.length > 0 && keepFds.length === 0
      ? [
          call(
            'close_range',
            'close_range(3, ~0, CLOSE_RANGE_CLOEXEC): marks all above 2 at once.',
            3,
            lastDescriptor,
            CLOSE_RANGE_CLOEXEC,
          ),
          '# Linux before 5.11 does not know it: then one by one, with fcntl(fd, F_SETFD, FD_CLOEXEC).',
          'if $result != 0',
          ...each.map((line) => `  ${line}`),
          'end',
        ]
      : set.length > 0
        ? ['# fcntl(fd, F_SETFD, FD_CLOEXEC)', ...each]
        : []),
  );
}

export function execve(
  placed: Placed,
  observed: Observed,
  { program, keepFds }: { readonly program: Program; readonly keepFds: readonly number[] },
): string {
  const { set, cleared } = planDescriptors(observed.descriptors, keepFds);
  return section(
    'execve: the point of no return',
    `# execve(${shown(program.path)}, argv, environ). If it succeeds the kernel ends all other threads, puts the new program in place of the old`,
    '# one, and the thread, now the only one, comes to the stop of `catch exec`. If not, it returns like any other call, with an error in rax.',
    'save_registers',
    `enter_call ${arch.syscalls.execve} ${hex(placed.path.address)} ${hex(placed.argvTable)} ${hex(placed.envpTable)} 0 0 0`,
    'continue',
    '# Still behind the borrowed instruction: it returned. Take back all that was changed.',
    'if $rip == $behind',
    '  printf "execve = %ld\\n", (long)$rax',
    '  restore_registers',
    ...set.map((fd) => `  ${setFlag(fd, 0)}`),
    ...cleared.map((fd) => `  ${setFlag(fd, FD_CLOEXEC)}`),
    '  give_up',
    'end',
  );
}

function setFlag(fd: number, flag: number): string {
  return `system_call ${arch.syscalls.fcntl} ${fd} ${F_SETFD} ${flag} 0 0 0`;
}
