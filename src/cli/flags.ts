// The flags that commands share, and how commander is set up: it neither prints nor exits.
import { Command, Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RestartFlags } from './restart-request.ts';

export interface RestartCommandFlags extends RestartFlags {
  readonly output: 'text' | 'json' | 'jsonl';
  readonly quiet?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** restart, and plan restart: the same flags, so that a plan is asked for as the restart will be. */
export function restartCommand(
  action: (words: readonly string[], flags: RestartCommandFlags) => Promise<void>,
): CommandUnknownOpts {
  return new Command('restart')
    .argument('<target...>')
    .option('--no-drain', 'do not ask the old program to finish first (the only way yet: a drain comes later)')
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
    .option('--keep-fd <N>', 'leave a descriptor above 2 open; repeatable', collect, [])
    .addOption(childrenOption)
    .option('--force', 'go on although something cannot be as after a fresh start')
    .option('--timeout <DURATION>', 'give up before the point of no return after this long', '30s')
    .option('--dry-run', 'print every step that would be taken, and change nothing (= hotexec plan restart)')
    .addOption(outputOption(['text', 'json', 'jsonl']))
    .option('-q, --quiet', 'print nothing but errors')
    .option('-v, --verbose', 'print each system call made in the target')
    .action((words, flags) => action(words, flags));
}

const fromDescription =
  'take command and environment from what runs now (process) or from what the runtime would start (spec); without it from the process, or from the spec where the process has overwritten its own';

export const childrenOption: ChildrenOption = new Option(
  '--children <WHAT>',
  "what becomes of the old program's children: kill or keep",
)
  .choices(['kill', 'keep'])
  .default('kill');

type ChildrenOption = Option<'--children <WHAT>', undefined, 'kill', undefined, false, 'kill' | 'keep'>;

/** -o FORMAT */
export function outputOption<const Format extends string>(formats: readonly Format[]): OutputOption<Format> {
  return new Option('-o, --output <FORMAT>', `how to print: ${formats.join(', ')}`).choices(formats).default('text');
}

type OutputOption<Format> = Option<'-o, --output <FORMAT>', undefined, 'text', undefined, false, Format>;

export function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}
