// hotexec doctor [TARGET]
import { machineAt } from '../doctor/machine.ts';
import { runDoctor } from '../doctor/doctor.ts';
import { resolve } from '../targets/resolve.ts';
import { criVersion } from '../targets/cri/version.ts';
import { isInCluster } from '../targets/target.ts';
import type { CliContext } from './context.ts';
import type { DoctorFlags } from './flags.ts';
import { readTarget } from './open-target.ts';
import { selfTest } from './self-test.ts';
import { usageError } from './usage.ts';

export interface DoctorInvocation {
  readonly words: readonly string[];
  readonly flags: DoctorFlags;
}

export async function runDiagnosis({ words, flags }: DoctorInvocation, context: CliContext): Promise<number> {
  const named = words.length === 0 ? null : readTarget({ words, flags }, context);
  if (named !== null && isInCluster(named))
    throw usageError(
      'doctor looks at this machine, and a pod is elsewhere.',
      'hotexec inspect pod/NAME says what it allows; on its node: hotexec doctor pod/NAME --local',
    );
  const target = named === null ? null : await resolve(named, context);
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
