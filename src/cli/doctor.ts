// hotexec doctor [TARGET]: of this machine; kubectl hotexec doctor, and of a pod: of a cluster.
import { defaultAgentImage } from '../agent/image.ts';
import { printDiagnosis, runDoctor, type DoctorOutput } from '../doctor/doctor.ts';
import { machineAt } from '../doctor/machine.ts';
import { criVersion } from '../targets/cri/version.ts';
import { resolve, type LocalTarget } from '../targets/resolve.ts';
import { isInCluster, type ClusterTarget } from '../targets/target.ts';
import { clusterOptions, refuseElsewhere } from './cluster-flags.ts';
import { programName, type CliContext } from './context.ts';
import type { DoctorFlags } from './flags.ts';
import { readTarget } from './open-target.ts';
import { escapeText, printableJson } from './render/escape.ts';
import { selfTest } from './self-test.ts';
import { usageError } from './usage.ts';

export interface DoctorInvocation {
  readonly words: readonly string[];
  readonly flags: DoctorFlags;
}

export async function runDiagnosis({ words, flags }: DoctorInvocation, context: CliContext): Promise<number> {
  const named = words.length === 0 ? null : readTarget({ words, flags }, context);
  if (named !== null && isInCluster(named)) return ofCluster(named, flags, context);
  if (named === null && context.program === 'kubectl-hotexec') return ofCluster(null, flags, context);
  return ofMachine(named, flags, context);
}

async function ofMachine(named: LocalTarget | null, flags: DoctorFlags, context: CliContext): Promise<number> {
  refuseElsewhere(named?.kind ?? 'machine', flags);
  const target = named === null ? null : await resolve(named, context);
  const { env, host } = context;
  const machine = machineAt({
    env,
    architecture: host.architecture,
    root: '',
    selfTest: () => selfTest(host.execPath),
    criVersion,
  });
  return runDoctor({ ...outputOf(context), machine }, { target, output: flags.output });
}

async function ofCluster(target: ClusterTarget | null, flags: DoctorFlags, context: CliContext): Promise<number> {
  if (target === null) refuseWithoutTarget(flags);
  const { env, signal } = context;
  const options = clusterOptions(flags, { target, env, force: false, timeoutMs: 0 });
  const { container, version, agent: choice } = options;
  const [{ openCluster }, { diagnoseCluster }] = await Promise.all([
    import('../connect/open-pod.ts'),
    import('../doctor/cluster/diagnose.ts'),
  ]);
  using api = await openCluster({ cluster: options, env, signal });
  const agent = { version, choice, defaultImage: defaultAgentImage(version) };
  return printDiagnosis(await diagnoseCluster({ api, target, container, agent }), flags.output, outputOf(context));
}

function refuseWithoutTarget({ selector, container, local }: DoctorFlags): void {
  const given = Object.entries({ '--selector': selector, '--container': container, '--local': local });
  const [name] = given.find(([, value]) => value !== undefined) ?? [];
  if (name === undefined) return;
  throw usageError(`${name} says more of a target, and none is named.`, 'A namespace: kubectl hotexec doctor -n NAME');
}

function outputOf(context: CliContext): DoctorOutput {
  const { stdout } = context;
  const printable = { text: escapeText, json: (value: unknown) => printableJson(value, 2) };
  return { stdout, colours: stdout.colours, program: programName(context), printable };
}
