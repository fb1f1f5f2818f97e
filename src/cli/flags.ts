// The flags that commands share, and how commander is set up: it neither prints nor exits.
import { Command, Option, type CommandUnknownOpts, type OptionValues } from '@commander-js/extra-typings';
import { driverOption, gdbCallOption } from './driver-flags.ts';
import { hooksOption } from './hooks-flag.ts';
import { gracePeriodOption, noDrainOption, noHandoverOption, signalOption } from './drain-flags.ts';
import { noRollbackOption, probationOption, probeOption } from './probation-flags.ts';
import type { ClusterFlags } from './cluster-flags.ts';
import type { TargetFlags } from './open-target.ts';
import { continueOnErrorOption, maxUnavailableOption, pauseOption, type RolloutFlags } from './rollout-flags.ts';
import { timelineOption } from './timeline-file.ts';
import type { OptionFlags, ReplacementFlags, RestartFlags } from './restart-request.ts';

export interface RestartCommandFlags extends RestartFlags, TargetFlags, RolloutFlags {
  readonly output: 'text' | 'json' | 'jsonl';
  readonly quiet?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly format?: 'gdb' | undefined;
  readonly showEnv?: true | undefined;
}

export interface ReplaceCommandFlags extends RestartCommandFlags, ReplacementFlags {}

export interface RollbackFlags extends OptionFlags, TargetFlags, RolloutFlags {
  readonly to?: string | undefined;
  readonly list?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly output: 'text' | 'json' | 'jsonl';
  readonly quiet?: true | undefined;
}

type Action<Flags> = (words: readonly string[], flags: Flags) => Promise<void>;

/** restart, and plan restart: the same flags, so that a plan is asked for as the restart will be. */
export function restartCommand(action: Action<RestartCommandFlags>): CommandUnknownOpts {
  return withRestartFlags(new Command('restart').argument('<target...>')).action((words, flags) =>
    action(words, flags),
  );
}

/** replace, and plan replace. */
export function replaceCommand(action: Action<ReplaceCommandFlags>): CommandUnknownOpts {
  const command = new Command('replace')
    .argument('<target...>')
    .requiredOption('--with <FILE>', 'the new executable, a file here; it takes the place of the old one')
    .addOption(inMemoryOption)
    .option('--on-disk', 'on disk or not at all, also where the file system takes no file');
  return withRestartFlags(command).action((words, flags) => action(words, flags));
}

/** Which version, and of restart's flags those that say how it is done. */
export function rollbackCommand(action: Action<RollbackFlags>): CommandUnknownOpts {
  const command = new Command('rollback')
    .argument('<target...>')
    .option('--to <N>', 'the version to go back to, as --list numbers them; without it the one before this one')
    .option('--list', 'show the programs that ran there, and change nothing');
  return withRolloutFlags(withTargetFlags(withStartFlags(withDrainFlags(command))))
    .option('--dry-run', 'print every step that would be taken, and change nothing')
    .addOption(timelineOption)
    .addOption(outputOption(['text', 'json', 'jsonl']))
    .option('-q, --quiet', 'print nothing but errors')
    .option('-v, --verbose', 'print each system call made in the target')
    .action((words, flags) => action(words, flags));
}

export interface InspectFlags extends TargetFlags {
  readonly output: 'text' | 'json';
  readonly showEnv?: true | undefined;
  readonly operation?: string | undefined;
}

export function inspectCommand(action: Action<InspectFlags>): CommandUnknownOpts {
  return withTargetFlags(new Command('inspect').argument('<target...>'))
    .addOption(outputOption(['text', 'json']))
    .option('--show-env', 'print the values of environment variables too, not only their names')
    .addOption(forPods(new Option('--operation <ID>', 'what came of a restart whose connection was lost')))
    .action((words, flags) => action(words, flags));
}

export interface DoctorFlags extends TargetFlags {
  readonly output: 'text' | 'json';
}

export function doctorCommand(action: Action<DoctorFlags>): CommandUnknownOpts {
  return withTargetFlags(new Command('doctor').argument('[target...]'))
    .addOption(outputOption(['text', 'json']))
    .action((words, flags) => action(words, flags));
}

export interface LsFlags extends ClusterFlags {
  readonly output: 'text' | 'wide' | 'json';
  readonly quiet?: true | undefined;
  readonly runtimeEndpoint?: string | undefined;
  readonly allNamespaces?: true | undefined;
  readonly drift?: true | undefined;
}

export function lsCommand(action: Action<LsFlags>): CommandUnknownOpts {
  const command = new Command('ls')
    .argument('[word...]')
    .addOption(forPods(new Option('-n, --namespace <NAME>', 'of which namespace')))
    .addOption(forPods(new Option('-A, --all-namespaces', 'of all namespaces')))
    .addOption(forPods(new Option('-l, --selector <LABELS>', 'of pods with these labels')))
    .addOption(
      forPods(new Option('--drift', 'ask the agents that run where what runs differs from what the pod says')),
    );
  return withLoginFlags(command)
    .addOption(
      forNodes(
        new Option('--runtime-endpoint <SOCKET>', 'ask this runtime, and not those that usually listen somewhere'),
      ),
    )
    .addOption(outputOption(['text', 'wide', 'json']))
    .option('-q, --quiet', 'print nothing but targets, one a line')
    .action((words, flags) => action(words, flags));
}

const inMemoryOption = new Option(
  '--in-memory',
  'keep the new executable in memory (a sealed memfd), as is done by itself where the file system takes no file',
).conflicts('onDisk');

function withRestartFlags<Args extends unknown[], Opts extends OptionValues>(command: Command<Args, Opts>) {
  const changed = withDrainFlags(command)
    .option(
      '--env <NAME=VALUE>',
      "set a variable, or take NAME from hotexec's own environment; repeatable",
      collect,
      [],
    )
    .option(
      '--env-file <FILE>',
      'set the variables in FILE (-: standard input); all there is where a process has overwritten its own',
    )
    .option('--unset-env <NAME>', 'leave a variable out; repeatable', collect, [])
    .option('--cwd <DIR>', 'start in another working directory, a path inside the container')
    .option('--exe <PATH>', 'execute this file, a path inside the container, whatever the command says')
    .addOption(new Option('--from <SOURCE>', fromDescription).choices(['process', 'spec']))
    .option(
      '--copy <SRC:DEST>',
      'bring a file or directory from here to DEST in the container; repeatable',
      collect,
      [],
    )
    .option('--chown <UID[:GID]>', 'owner of what --copy brings, in numbers as inside the container')
    .option('--allow-volume', 'let --copy write to volumes too, whose content outlives the container');
  return withRolloutFlags(withTargetFlags(withStartFlags(changed)))
    .addOption(driverOption)
    .addOption(gdbCallOption)
    .option('--dry-run', 'print every step that would be taken, and change nothing (= hotexec plan)')
    .addOption(formatOption)
    .option(
      '--show-env',
      'with --format gdb: print the values of new environment variables too, as the script needs to run',
    )
    .addOption(timelineOption)
    .addOption(outputOption(['text', 'json', 'jsonl']))
    .option('-q, --quiet', 'print nothing but errors')
    .option('-v, --verbose', 'print each system call made in the target');
}

/** Every command with a target has them. */
function withTargetFlags<Args extends unknown[], Opts extends OptionValues>(command: Command<Args, Opts>) {
  return withClusterFlags(command)
    .addOption(forNodes(new Option('--local', 'of a pod: it runs on this machine, and no API server is asked')))
    .addOption(forNodes(new Option('--containerd-namespace <NAMESPACE>', 'of containerd/ID; any, if left out')))
    .addOption(forNodes(new Option('--runtime-endpoint <SOCKET>', runtimeEndpointDescription)));
}

const runtimeEndpointDescription =
  'the socket of the container runtime; without it as crictl finds it, or where runtimes usually listen';

/** How the old program finishes. */
function withDrainFlags<Args extends unknown[], Opts extends OptionValues>(command: Command<Args, Opts>) {
  return command
    .addOption(noDrainOption)
    .addOption(gracePeriodOption)
    .addOption(signalOption)
    .addOption(noHandoverOption);
}

/** How another program is started, and what becomes of it. */
function withStartFlags<Args extends unknown[], Opts extends OptionValues>(command: Command<Args, Opts>) {
  return command
    .option('--keep-fd <N>', 'leave a descriptor above 2 open; repeatable', collect, [])
    .addOption(childrenOption)
    .addOption(probationOption)
    .addOption(probeOption)
    .addOption(noRollbackOption)
    .option('--force', 'go on although something cannot be as after a fresh start')
    .option('--timeout <DURATION>', 'give up before the point of no return after this long', '30s');
}

/** Which pod, in which cluster, as whom; and the agent beside it. */
function withClusterFlags<Args extends unknown[], Opts extends OptionValues>(command: Command<Args, Opts>) {
  const named = command
    .addOption(forPods(new Option('-n, --namespace <NAME>', 'where the pod is')))
    .addOption(forPods(new Option('-c, --container <NAME>', "which of the pod's containers")))
    .addOption(forPods(new Option('-l, --selector <LABELS>', 'those with these labels, as in: pods -l app=web')));
  return withLoginFlags(named)
    .addOption(forPods(new Option('--agent-image <IMAGE>', 'where the agent comes from (HOTEXEC_AGENT_IMAGE)')))
    .addOption(forPods(new Option('--agent-ttl <DURATION>', 'how long a new agent stays without use; else 15m')))
    .addOption(forPods(agentUserOption));
}

/** Which cluster, as whom. */
function withLoginFlags<Args extends unknown[], Opts extends OptionValues>(command: Command<Args, Opts>) {
  return command
    .addOption(forPods(new Option('--context <NAME>', 'which context of the kubeconfig')))
    .addOption(forPods(new Option('--kubeconfig <FILE>', 'which kubeconfig')))
    .addOption(forPods(new Option('--as <USER>', 'as another user, whom you may impersonate')))
    .addOption(forPods(asGroupOption));
}

/** What pods have besides, and how many at once. */
function withRolloutFlags<Args extends unknown[], Opts extends OptionValues>(command: Command<Args, Opts>) {
  return command
    .addOption(forPods(hooksOption))
    .addOption(forPods(maxUnavailableOption))
    .addOption(forPods(pauseOption))
    .addOption(forPods(continueOnErrorOption));
}

const agentUserOption: Option<'--agent-user <UID[:GID]>'> = new Option(
  '--agent-user <UID[:GID]>',
  "what a new agent runs as: the program's own user needs no capability, 0 gets SYS_PTRACE",
);

const asGroupOption: AsGroupOption = new Option('--as-group <GROUP>', 'as a member of another group; repeatable')
  .argParser(collect)
  .default([]);

type AsGroupOption = Option<'--as-group <GROUP>', undefined, readonly string[], readonly string[]>;

const forNodes = inGroup('Flags for containerd, CRI-O and pods of this machine');
const forPods = inGroup('Flags for pods');

const formatOption: FormatOption = new Option(
  '--format <FORMAT>',
  'of a plan: print it as a commented script that does it: gdb',
).choices(['gdb']);

type FormatOption = Option<'--format <FORMAT>', undefined, undefined, undefined, false, 'gdb'>;

const fromDescription =
  'take command and environment from what runs now (process) or from what the runtime would start (spec); without it from the process, or from the spec where the process has overwritten its own';

const childrenOption: ChildrenOption = new Option(
  '--children <WHAT>',
  "what becomes of the old program's children: kill or keep",
)
  .choices(['kill', 'keep'])
  .default('kill');

type ChildrenOption = Option<'--children <WHAT>', undefined, 'kill', undefined, false, 'kill' | 'keep'>;

/** -o FORMAT */
function outputOption<const Format extends string>(formats: readonly Format[]): OutputOption<Format> {
  return new Option('-o, --output <FORMAT>', `how to print: ${formats.join(', ')}`).choices(formats).default('text');
}

type OutputOption<Format> = Option<'-o, --output <FORMAT>', undefined, 'text', undefined, false, Format>;

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

/** Of options: under a heading of their own in the help. */
function inGroup(
  heading: string,
): <Grouped extends { readonly helpGroup: (heading: string) => unknown }>(option: Grouped) => Grouped {
  return (option) => {
    option.helpGroup(heading);
    return option;
  };
}
