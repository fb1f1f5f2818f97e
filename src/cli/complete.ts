// kubectl_complete-hotexec: what kubectl asks when somebody presses Tab behind `kubectl hotexec`. Candidates a line each, then a directive for the
// shell: as kubectl's own commands answer (spf13/cobra, active help and completions).
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { openCluster } from '../connect/open-pod.ts';
import type { ClusterApi } from '../targets/kubernetes/api.ts';
import { containerNames, namespaceNames, objectNames } from '../targets/kubernetes/names.ts';
import { isClusterType, parseTarget, workloadTypes } from '../targets/target.ts';
import { currentCluster } from '../connect/cluster-options.ts';
import type { CliContext } from './context.ts';
import { buildProgram } from './program.ts';

/** What the shell is to do where there is no candidate: nothing, or files. */
type Directive = ':4' | ':0';

interface Completion {
  readonly candidates: readonly string[];
  readonly directive: Directive;
}

const nothing: Completion = { candidates: [], directive: ':4' };
const files: Completion = { candidates: [], directive: ':0' };

// Somebody waits with a finger on the key.
const withinMs = 3000;

/** `argv`: the words so far; the last one is being typed. Never fails: no candidate is an answer, too. */
export async function complete(context: CliContext): Promise<number> {
  const words = context.argv;
  const typed = words.at(-1) ?? '';
  const { candidates, directive } = await completionOf(words.slice(0, -1), typed, context).catch(() => nothing);
  const fitting = candidates.filter((candidate) => candidate.startsWith(typed));
  context.stdout.write([...fitting, directive, ''].join('\n'));
  return 0;
}

async function completionOf(before: readonly string[], typed: string, context: CliContext): Promise<Completion> {
  if (before.includes('--')) return files;
  const { command, rest } = commandOf(before, context);
  if (typed.startsWith('-')) return { candidates: flagsOf(command), directive: ':4' };
  const { targets, flags, pending } = readWords(rest, command);
  if (pending !== null) return valuesOf(pending, { targets, flags, context });
  const subcommands = command.createHelp().visibleCommands(command);
  if (subcommands.length > 0) {
    const names = subcommands.map((child) => child.name()).filter((name) => name !== 'help');
    return { candidates: names, directive: ':4' };
  }
  const reading = { flags, context };
  // Its words are parts of names, and no targets.
  const names = command.name() === 'ls' ? asking(reading, podNames) : namesFor(targets, typed, reading);
  return { candidates: await names, directive: ':4' };
}

/** The deepest command that the words lead to, and what follows it. */
function commandOf(
  words: readonly string[],
  context: CliContext,
): { readonly command: CommandUnknownOpts; readonly rest: readonly string[] } {
  let command = buildProgram({ context, command: null, exitWith: () => {} });
  let rest = words;
  for (;;) {
    const child = command.commands.find((one) => one.name() === rest[0]);
    if (child === undefined) return { command, rest };
    command = child;
    rest = rest.slice(1);
  }
}

function flagsOf(command: CommandUnknownOpts): readonly string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => long ?? []);
}

interface ReadWords {
  readonly targets: readonly string[];
  /** By their long names. */
  readonly flags: ReadonlyMap<string, string>;
  /** A flag whose value is being typed. */
  readonly pending: string | null;
}

function readWords(words: readonly string[], command: CommandUnknownOpts): ReadWords {
  const targets: string[] = [];
  const flags = new Map<string, string>();
  let pending: string | null = null;
  for (const word of words) {
    if (pending !== null) {
      flags.set(pending, word);
      pending = null;
    } else if (word.startsWith('-')) {
      const [name = '', value] = word.split('=', 2);
      const option = command.options.find(({ long, short }) => long === name || short === name);
      if (option?.required !== true) continue;
      if (value === undefined) pending = option.long ?? name;
      else flags.set(option.long ?? name, value);
    } else targets.push(word);
  }
  return { targets, flags, pending };
}

interface Reading {
  readonly flags: ReadonlyMap<string, string>;
  readonly context: CliContext;
}

const flagsOfFiles: ReadonlySet<string> = new Set(['--with', '--copy', '--env-file', '--kubeconfig', '--timeline']);

async function valuesOf(
  flag: string,
  { targets, ...reading }: Reading & { readonly targets: readonly string[] },
): Promise<Completion> {
  if (flagsOfFiles.has(flag)) return files;
  if (flag === '--namespace') return { candidates: await asking(reading, namespaceNames), directive: ':4' };
  if (flag !== '--container') return nothing;
  const target = parseTarget(targets.length > 1 ? targets.slice(0, 2).join('/') : (targets[0] ?? ''), {
    inCluster: true,
  });
  if (target.kind !== 'pod') return nothing;
  return { candidates: await asking(reading, async (api) => containerNames(target.name, api)), directive: ':4' };
}

async function podNames(api: ClusterApi): Promise<readonly string[]> {
  return objectNames('pod', api);
}

/** `web-0`, `deployment/web`; behind a type the names alone. */
async function namesFor(targets: readonly string[], typed: string, reading: Reading): Promise<readonly string[]> {
  const [type, ...more] = targets;
  if (type !== undefined) {
    if (more.length > 0 || !isClusterType(type)) return [];
    return asking(reading, async (api) => objectNames(type, api));
  }
  const slash = typed.indexOf('/');
  if (slash === -1) return [...(await asking(reading, podNames)), ...types];
  const prefix = typed.slice(0, slash);
  if (!isClusterType(prefix)) return [];
  const names = await asking(reading, async (api) => objectNames(prefix, api));
  return names.map((name) => `${prefix}/${name}`);
}

const types = ['pod', ...workloadTypes].map((type) => `${type}/`);

async function asking(
  { flags, context }: Reading,
  ask: (api: ClusterApi) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const cluster = {
    ...currentCluster,
    kubeconfig: flags.get('--kubeconfig') ?? null,
    context: flags.get('--context') ?? null,
    namespace: flags.get('--namespace') ?? null,
    as: flags.get('--as') ?? null,
  };
  using api = await openCluster({ cluster: { cluster }, env: context.env, signal: AbortSignal.timeout(withinMs) });
  return await ask(api);
}
