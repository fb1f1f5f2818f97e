// The flags of rollback: which version, and of restart's those that say how it is done.
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { gracePeriodOption, noDrainOption, noHandoverOption, signalOption } from './drain-flags.ts';
import { childrenOption, collect, outputOption } from './flags.ts';
import { noRollbackOption, probationOption, probeOption } from './probation-flags.ts';
import { timelineOption } from './timeline-file.ts';
import type { OptionFlags } from './restart-request.ts';

export interface RollbackFlags extends OptionFlags {
  readonly to?: string | undefined;
  readonly list?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly output: 'text' | 'json' | 'jsonl';
  readonly quiet?: true | undefined;
}

export function rollbackCommand(
  action: (words: readonly string[], flags: RollbackFlags) => Promise<void>,
): CommandUnknownOpts {
  return new Command('rollback')
    .argument('<target...>')
    .option('--to <N>', 'the version to go back to, as --list numbers them; without it the one before this one')
    .option('--list', 'show the programs that ran there, and change nothing')
    .addOption(noDrainOption)
    .addOption(gracePeriodOption)
    .addOption(signalOption)
    .addOption(noHandoverOption)
    .option('--keep-fd <N>', 'leave a descriptor above 2 open; repeatable', collect, [])
    .addOption(childrenOption)
    .addOption(probationOption)
    .addOption(probeOption)
    .addOption(noRollbackOption)
    .option('--force', 'go on although something cannot be as after a fresh start')
    .option('--timeout <DURATION>', 'give up before the point of no return after this long', '30s')
    .option('--dry-run', 'print every step that would be taken, and change nothing')
    .addOption(timelineOption)
    .addOption(outputOption(['text', 'json', 'jsonl']))
    .option('-q, --quiet', 'print nothing but errors')
    .option('-v, --verbose', 'print each system call made in the target')
    .action((words, flags) => action(words, flags));
}
