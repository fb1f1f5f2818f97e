// node bench/sequence.ts: whether bench/reference.c still does what the engine does. Both are traced with strace through one hold each, and
// the kinds of system calls compared, in their order: - is the engine's alone, + the reference's alone. Exit code 1: they differ.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Programs, startTarget, Talking } from './programs.ts';

const node = join(import.meta.dirname, '../node_modules/node/bin/node');

using programs = new Programs();
const engine = await holdOf(node, join(import.meta.dirname, 'warm-engine.ts'));
const reference = await holdOf(programs.reference);
const lines = compare(engine, reference);
const differing = lines.filter((line) => !line.startsWith(' '));
console.log(lines.join('\n'));
console.log(`${engine.length} calls of the engine, ${reference.length} of the reference, ${differing.length} differ`);
process.exitCode = differing.length === 0 ? 0 : 1;

/** Of the third restart: what is looked for once has been found. */
async function holdOf(...command: readonly string[]): Promise<readonly string[]> {
  const trace = join(programs.directory, 'trace');
  using target = await startTarget(programs);
  using traced = new Talking('strace', '-o', trace, ...command);
  for (let i = 0; i < 3; i++) {
    await traced.ask(String(target.pid));
    await target.next();
  }
  const calls = readFileSync(trace, 'utf8').split('\n');
  const start = calls.findLastIndex((call) => call.includes('PTRACE_SEIZE'));
  const end = calls.findIndex((call, index) => index > start && call.includes('released'));
  return calls.slice(start, end + 1).flatMap((call) => kindOf(call) ?? []);
}

/** Undefined for what depends on luck (how often is waited) or on the language (memory, how a file is read once it is open). */
function kindOf(call: string): string | undefined {
  const name = /^\w+/.exec(call)?.[0];
  switch (name) {
    case 'ptrace': {
      const request = /PTRACE_\w+/.exec(call)?.[0];
      const number = request === 'PTRACE_SETREGS' ? ` rax=${/\brax=(\w+)/.exec(call)?.[1] ?? ''}` : '';
      return `${request ?? ''}${number}`;
    }
    case 'open':
    case 'openat':
      return `open ${/"([^"]*)"/.exec(call)?.[1]?.replaceAll(/\d+/g, 'N') ?? ''}`;
    case 'pwrite64':
    case 'process_vm_readv':
    case 'process_vm_writev':
      return name;
    case 'tgkill':
      return `tgkill ${/SIG\w+/.exec(call)?.[0] ?? ''}`;
    default:
      return undefined;
  }
}

/** A diff by the longest common subsequence. */
function compare(left: readonly string[], right: readonly string[]): readonly string[] {
  const common = Array.from({ length: left.length + 1 }, () => Array.from({ length: right.length + 1 }, () => 0));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const row = common[i] ?? [];
      row[j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      out.push(`  ${left[i] ?? ''}`);
      [i, j] = [i + 1, j + 1];
    } else if (j >= right.length || (i < left.length && at(i + 1, j) >= at(i, j + 1))) {
      out.push(`- ${left[i++] ?? ''}`);
    } else {
      out.push(`+ ${right[j++] ?? ''}`);
    }
  }
  return out;
}
