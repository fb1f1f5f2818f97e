// The recipe that people use: gdb attaches, closes the descriptors above 2 and makes an execve where the program stands.
import { readdirSync, readFileSync } from 'node:fs';
import { parseStat } from '../src/procfs/stat.ts';
import { timed } from './programs.ts';

const close_range = 436;
const execve = 59;

/**
 * `article`: gdb as it comes, with the symbols of the libraries, and libc's close for each descriptor. `lean`: as quick as gdb can be made, without
 * any symbol and with one injected call for all descriptors. Neither reads start-up files or asks the network for symbols.
 */
export type Recipe = 'article' | 'lean';

/** One restart of bench/target.c, in milliseconds. */
export function restartByGdb(pid: number, recipe: Recipe): number {
  const startedMs = performance.now();
  // The argument vector, the environment and the path (which is argv[0]) still lie where the kernel has put them.
  const argc = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).startStack;
  const argv = argc + 8n;
  const commands = [
    'set scheduler-locking on',
    // It waits in pause(2): the two bytes before its instruction pointer are a syscall instruction.
    'set $call = $rip - 2',
    ...(recipe === 'lean' ? [...prepare(close_range, '3', '0xffffffff', '0'), 'stepi'] : closeEach(pid)),
    ...prepare(execve, `*(long *)${argv}`, `${argv}`, `${argv} + 8 * (*(long *)${argc} + 1)`),
    // A stepi would never end: gdb lets the new program run.
    'catch exec',
    'continue',
    'detach',
  ];
  const lean = recipe === 'lean' ? ['set sysroot /nonexistent', 'set auto-load off'] : [];
  const before = ['set debuginfod enabled off', 'set confirm off', ...lean];
  const readMs = performance.now() - startedMs;
  const args = [option('-iex', before), '-p', String(pid), option('-ex', commands)].flat();
  return readMs + timed('gdb', '-nx', '-batch', ...args);
}

function closeEach(pid: number): readonly string[] {
  const descriptors = readdirSync(`/proc/${pid}/fd`).map(Number);
  return descriptors.filter((fd) => fd > 2).map((fd) => `call (int)close(${fd})`);
}

function prepare(number: number, ...args: readonly string[]): readonly string[] {
  const registers = ['rdi', 'rsi', 'rdx'];
  return [
    'set $orig_rax = -1',
    `set $rax = ${number}`,
    ...args.map((value, index) => `set $${registers[index] ?? ''} = ${value}`),
    'set $rip = $call',
  ];
}

function option(name: string, lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => [name, line]);
}
