// The recipe that people use: gdb attaches, the descriptors above 2 are closed and execve is made by calls that are injected where the
// program stands. It is as quick as gdb can be made: no start-up files, no symbols of libraries, no address looked up. The target waits in
// pause(2), so the two bytes before its instruction pointer are a syscall instruction; argv, the environment and the path (which is argv[0])
// still lie where the kernel has put them.
import { readFileSync } from 'node:fs';
import { parseStat } from '../src/procfs/stat.ts';
import { timed } from './programs.ts';

const close_range = 436;
const execve = 59;

/** One restart of bench/target.c, in milliseconds. */
export function restartByGdb(pid: number): number {
  const startedMs = performance.now();
  const argc = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).startStack;
  const argv = argc + 8n;
  const commands = [
    'set scheduler-locking on',
    'set $call = $rip - 2',
    ...prepare(close_range, '3', '0xffffffff', '0'),
    'stepi',
    ...prepare(execve, `*(long *)${argv}`, `${argv}`, `${argv} + 8 * (*(long *)${argc} + 1)`),
    // A stepi would never end: gdb lets the new program run.
    'catch exec',
    'continue',
    'detach',
  ];
  const readMs = performance.now() - startedMs;
  const before = ['set sysroot /nonexistent', 'set auto-load off', 'set debuginfod enabled off', 'set confirm off'];
  const args = [
    ...before.flatMap((line) => ['-iex', line]),
    '-p',
    String(pid),
    ...commands.flatMap((line) => ['-ex', line]),
  ];
  return readMs + timed('gdb', '-nx', '-batch', ...args);
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
