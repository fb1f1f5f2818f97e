// hotexec demo
import { runDemo } from '../demo/demo.ts';
import type { CliContext } from './context.ts';

export async function demoCommand({ stdout, signal, host }: CliContext): Promise<number> {
  return runDemo({ stdout, colours: stdout.colours, signal, host });
}
