// argv before any flag is known: where the command for the target begins, and what must be known before parsing.
import { isClusterType, isTargetType, parseSelected, parseTarget, type Target } from '../targets/target.ts';
import type { CliContext } from './context.ts';
import { usageError } from './usage.ts';

export interface SplitArgv {
  readonly own: readonly string[];
  /** What follows the first `--`: the target's new command or arguments, whatever they look like. */
  readonly command: readonly string[] | null;
}

export function splitArgv(argv: readonly string[]): SplitArgv {
  const at = argv.indexOf('--');
  return at === -1 ? { own: argv, command: null } : { own: argv.slice(0, at), command: argv.slice(at + 1) };
}

/** Commands that ask an engine about a target. */
const engineCommands: ReadonlySet<string> = new Set(['restart', 'replace', 'rollback', 'inspect', 'plan']);

/** Whether an engine of this machine will be asked: it is started before anything else, because it takes longest. */
export function needsEngine(argv: readonly string[], program: CliContext['program'] = 'hotexec'): boolean {
  const { own } = splitArgv(argv);
  if (program !== 'hotexec' || own.slice(1).some((word) => isClusterType(word.split('/')[0] ?? ''))) return false;
  if (own.length < 2 || own.some((word) => word === '--help' || word === '-h' || word === 'help')) return false;
  return engineCommands.has(own[0] ?? '');
}

/** `-o json` in any spelling, for errors of the parsing itself; null: text. */
export function jsonFormat(argv: readonly string[]): 'json' | 'jsonl' | null {
  const { own } = splitArgv(argv);
  const values = own.map((word, index) =>
    /^(?:-o|--output)$/.test(word) ? own[index + 1] : /^(?:-o=?|--output=)(.+)$/.exec(word)?.[1],
  );
  return values.find((value) => value === 'json' || value === 'jsonl') ?? null;
}

/** How the words of a target are read. */
export interface ReadingTarget extends Pick<CliContext, 'program'> {
  /** Of `-l`; null: one thing is named. */
  readonly selector: string | null;
}

/** `docker/web`, or as kubectl has it: `pod web`, `deployment -l app=web`. */
export function targetOf(words: readonly string[], { program, selector }: ReadingTarget): Target {
  const reading = { inCluster: program === 'kubectl-hotexec' };
  const [first = '', second, ...more] = words;
  if (selector !== null) return selectedOf(words, selector);
  if (second === undefined) return parseTarget(first, reading);
  const isPair = isTargetType(first) && !second.includes('/');
  const extra = isPair ? more[0] : second;
  if (extra === undefined) return parseTarget(`${first}/${second}`, reading);
  throw usageError(
    `One target at a time: ${JSON.stringify(extra)} is one too many.`,
    `Another command for it follows after --: hotexec restart ${first} -- ${extra}`,
  );
}

function selectedOf([type = '', extra]: readonly string[], selector: string): Target {
  if (extra === undefined && !type.includes('/')) return parseSelected(type, selector);
  throw usageError('-l selects by labels, and a name is given too.', `Without the name: pods -l ${selector}`);
}
