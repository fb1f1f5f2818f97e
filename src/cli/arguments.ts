// argv before any flag is known: where the command for the target begins, and what must be known before parsing.
import { isTargetType, parseTarget, type Target } from '../targets/target.ts';
import { usageError } from './usage.ts';

export interface SplitArgv {
  readonly own: readonly string[];
  /** What follows the first `--`: the target's new command, whatever it looks like. */
  readonly command: readonly string[] | null;
}

export function splitArgv(argv: readonly string[]): SplitArgv {
  const at = argv.indexOf('--');
  return at === -1 ? { own: argv, command: null } : { own: argv.slice(0, at), command: argv.slice(at + 1) };
}

/** Commands that ask an engine about a target. */
export const engineCommands: readonly string[] = ['restart', 'replace', 'rollback', 'inspect', 'plan'];

/** Whether an engine will be asked: it is started before anything else, because it takes longest. */
export function needsEngine(argv: readonly string[]): boolean {
  const { own } = splitArgv(argv);
  if (own.length < 2 || own.some((word) => word === '--help' || word === '-h' || word === 'help')) return false;
  return engineCommands.includes(own[0] ?? '');
}

/** `-o json` in any spelling, for errors of the parsing itself; null: text. */
export function jsonFormat(argv: readonly string[]): 'json' | 'jsonl' | null {
  const { own } = splitArgv(argv);
  const values = own.map((word, index) =>
    /^(?:-o|--output)$/.test(word) ? own[index + 1] : /^(?:-o=?|--output=)(.+)$/.exec(word)?.[1],
  );
  return values.find((value) => value === 'json' || value === 'jsonl') ?? null;
}

/** `docker/web`, or as kubectl has it: `docker web`. */
export function targetOf(words: readonly string[]): Target {
  const [first = '', second, ...more] = words;
  if (second === undefined) return parseTarget(first);
  const isPair = isTargetType(first) && !second.includes('/');
  const extra = isPair ? more[0] : second;
  if (extra === undefined) return parseTarget(`${first}/${second}`);
  throw usageError(
    `One target at a time: ${JSON.stringify(extra)} is one too many.`,
    `A command for the target follows after --, such as: -- ${extra}`,
  );
}
