// hotexec doctor [TARGET]
import { machineAt } from '../doctor/machine.ts';
import { runDoctor } from '../doctor/doctor.ts';
import { resolve } from '../targets/resolve.ts';
import { targetOf } from './arguments.ts';
import type { CliContext } from './context.ts';
import { selfTest } from './self-test.ts';

export interface DoctorInvocation {
  readonly words: readonly string[];
  readonly flags: { readonly output: 'text' | 'json' };
}

export async function doctorCommand({ words, flags }: DoctorInvocation, context: CliContext): Promise<number> {
  const target = words.length === 0 ? null : await resolve(targetOf(words), context);
  const { stdout, env, host } = context;
  const machine = machineAt({
    env,
    architecture: host.architecture,
    root: '',
    selfTest: () => selfTest(host.execPath),
  });
  return runDoctor({ stdout, colours: stdout.colours, machine }, { target, output: flags.output });
}
