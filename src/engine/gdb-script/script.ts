// A plan as a gdb script that does it, for a person to read and to run: the method by hand, with the addresses of one process. Pure.
// docs/by-hand.md explains the method; what only hotexec does (drain, hand-over, journal, dry run, probation) the script says it leaves out.
import { HotexecError } from '../../errors.ts';
import type { RestartOptions } from '../../protocol/request.ts';
import type { Observed } from '../observe.ts';
import type { RestartPlan } from '../plan.ts';
import type { Program } from '../program.ts';
import { attaching, rightProcess } from './attach.ts';
import { descriptors, execve, scratch, strings } from './exec.ts';
import { freshness, lettingGo, newInstruction } from './new-program.ts';
import { placeWords, type Placed } from './place-words.ts';
import { givingUp, procedures } from './procedures.ts';
import { printable, shown } from './line.ts';

export interface ScriptInput {
  readonly observed: Observed;
  readonly plan: RestartPlan;
  readonly program: Program;
  readonly options: RestartOptions;
  /** Of the old program. */
  readonly instruction: bigint;
  /** Where its vDSO begins; null: it has none. */
  readonly vdso: bigint | null;
  /** A free address, with room for all strings. */
  readonly scratch: bigint;
  readonly showEnvironment: boolean;
}

/** Throws script-impossible when a script cannot do what the plan does. */
export function gdbScript(input: ScriptInput): string {
  const { observed, plan, program, options, instruction, showEnvironment } = input;
  const offset = offsetInVdso(input);
  refuse(input);
  const placed = placeWords(program, observed, input.scratch);
  const parts = [
    introduction(input, placed),
    rightProcess(observed),
    attaching(observed),
    procedures(instruction),
    scratch(placed),
    givingUp(placed),
    strings(placed, observed, { showEnvironment }),
    descriptors(observed, plan.keepFds),
    execve(placed, observed, { program, keepFds: plan.keepFds }),
    newInstruction(offset),
    freshness(observed, program, options),
    lettingGo(observed.target.pid),
  ];
  return `${parts.join('\n\n')}\n`;
}

function introduction({ observed, plan, program, showEnvironment }: ScriptInput, placed: Placed): string {
  const { pid } = observed.target;
  const hidden = !showEnvironment && placed.environment.some((word) => word.inPlace === null);
  return [
    `# Restarts process ${pid} in place: it is made to call execve(${shown(program.path)}, ...) itself.`,
    '#',
    '#   gdb -nx -batch -x THIS_FILE',
    `#   gdb -nx -batch -p ${pid} -x THIS_FILE     the same`,
    '#',
    '#   -nx     do not read .gdbinit, whose settings may be others',
    '#   -batch  end with the script; if a line fails, let go and end with an error',
    '#',
    `# It holds for this run of process ${pid} and no other: addresses and descriptors are those of now. Made for gdb 13 on x86-64.`,
    '# Unlike hotexec it does not ask the old program to finish first, hands over no listening socket, tries nothing beforehand, resets',
    '# less, and does not come back to the old program if the new one fails. If gdb is killed within a call, the process is lost.',
    ...plan.warnings.map((warning) => `# Note: ${printable(warning)}`),
    ...(hidden
      ? [
          '',
          '# Variables that are new or changed have to be written, and their values are not shown: this script is for reading.',
          'echo This script cannot run: values of environment variables are masked in it. Make it with --show-env.\\n',
          'quit 1',
        ]
      : []),
  ].join('\n');
}

/** A vDSO has two pages, four with newer ones; the instruction is not far from its beginning. */
const vdsoAtMostBytes = 0x1_0000n;

function offsetInVdso({ instruction, vdso, observed }: ScriptInput): bigint {
  const offset = vdso === null ? -1n : instruction - vdso;
  if (offset >= 0n && offset < vdsoAtMostBytes) return offset;
  throw impossible(observed, 'it has unmapped its vDSO, whose syscall instruction the script borrows');
}

function refuse({ observed, plan, program }: ScriptInput): void {
  if (program.memory !== null)
    throw impossible(observed, 'the program is in memory alone, and would have to be given to it as a descriptor');
  if (plan.files.files.length > 0)
    throw impossible(observed, 'files would have to be brought into the container first');
  if (observed.tid !== observed.target.pid)
    throw impossible(observed, 'its main thread has ended, and gdb cannot attach to it');
  if (/^[Tt]$/.test(observed.stat.state))
    throw impossible(observed, 'it is stopped, and the new program would begin stopped');
}

function impossible({ target }: Observed, why: string): HotexecError {
  return new HotexecError({
    code: 'script-impossible',
    message: `${target.name}: a gdb script cannot do this: ${why}. Nothing was touched.`,
    hint: 'hotexec restart can; without --format gdb this command shows how',
  });
}
