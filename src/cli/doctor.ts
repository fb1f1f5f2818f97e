// hotexec doctor [TARGET]
import { machineAt } from '../doctor/machine.ts';
import { runDoctor } from '../doctor/doctor.ts';
import { resolve } from '../targets/resolve.ts';
import { criVersion } from '../targets/cri/version.ts';
import type { CliContext } from './context.ts';
import { selfTest } from './self-test.ts';
import type { DoctorFlags } from './flags.ts';
import { readTarget } from './target-flags.ts';

export interface DoctorInvocation {
  readonly words: readonly string[];
  readonly flags: DoctorFlags;
}

export async function runDiagnosis({ words, flags }: DoctorInvocation, context: CliContext): Promise<number> {
  const target = words.length === 0 ? null : await resolve(readTarget(words, flags), context);
  const { stdout, env, host } = context;
  const machine = machineAt({
    env,
    architecture: host.architecture,
    root: '',
    selfTest: () => selfTest(host.execPath),
    criVersion,
  });
  return runDoctor({ stdout, colours: stdout.colours, machine }, { target, output: flags.output });
}
