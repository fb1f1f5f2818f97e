// hotexec ls [WORD...]: of this machine; kubectl hotexec ls: of a cluster.
import { exitCodes, type ErrorData } from '../errors.ts';
import { listTargets, type ListedTarget } from '../targets/list/list.ts';
import { withoutUntouched } from '../targets/refusal.ts';
import { refuseElsewhere } from './cluster-flags.ts';
import type { CliContext } from './context.ts';
import type { LsFlags } from './flags.ts';
import { escapeText, printableJson } from './render/escape.ts';
import { renderList } from './render/list-text.ts';
import { styleFor } from './render/style.ts';
import { usageError } from './usage.ts';

export interface LsInvocation {
  readonly words: readonly string[];
  readonly flags: LsFlags;
}

export async function runLs(invocation: LsInvocation, context: CliContext): Promise<number> {
  if (context.program === 'hotexec') return ofMachine(invocation, context);
  if (invocation.flags.runtimeEndpoint !== undefined)
    throw usageError('--runtime-endpoint is for a machine, and this lists what is in a cluster.', 'On it: hotexec ls');
  const { runClusterLs } = await import('./cluster-ls.ts');
  return runClusterLs(invocation, context);
}

async function ofMachine({ words, flags }: LsInvocation, context: CliContext): Promise<number> {
  refuseOfCluster(flags);
  const { env, proc, signal, stdout, stderr } = context;
  const list = await listTargets({ env, proc, signal, endpoint: flags.runtimeEndpoint ?? null });
  const items = list.items.filter((item) => words.every((word) => mentions(item, word)));

  if (flags.output === 'json') stdout.write(`${printableJson({ ...list, items }, 2)}\n`);
  else if (flags.quiet === true) stdout.write(items.map(({ target }) => `${escapeText(target)}\n`).join(''));
  else if (items.length > 0) {
    stdout.write(renderList(items, { isWide: flags.output === 'wide', now: new Date() }));
  }
  for (const { message, hint } of list.unreachable) {
    const advice = hint === null ? '' : ` (${escapeText(hint)})`;
    stderr.write(`${styleFor(stderr).yellow('warning:')} ${escapeText(withoutUntouched(message))}${advice}\n`);
  }
  // Where nobody could tell anything, that has been said.
  const isUnknown = list.items.length === 0 && list.unreachable.length > 0;
  const isSilent = flags.output === 'json' || flags.quiet === true || isUnknown;
  if (items.length === 0 && !isSilent) stderr.write(`${nothing(words)}\n`);
  return isUnknown ? exitCodeOf(list.unreachable) : 0;
}

function refuseOfCluster(flags: LsFlags): void {
  const { allNamespaces, drift, selector } = flags;
  const given = Object.entries({ '--all-namespaces': allNamespaces, '--drift': drift, '--selector': selector });
  const [name] = given.find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined)
    throw usageError(`${name} is for a cluster, and ls lists what runs on this machine.`, 'kubectl hotexec ls');
  refuseElsewhere('machine', flags);
}

/** In any place that is shown, whether in capitals or not. */
function mentions(
  { target, id, pod, namespace, container, containerdNamespace, program }: ListedTarget,
  word: string,
): boolean {
  const texts = [target, id, pod, namespace, container, containerdNamespace, program.join(' ')];
  return texts.some((text) => text?.toLowerCase().includes(word.toLowerCase()) === true);
}

function nothing(words: readonly string[]): string {
  return words.length === 0
    ? 'No container was found that runs here.'
    : `No container that runs here mentions ${words.map((word) => JSON.stringify(word)).join(' and ')}.`;
}

/** That is no empty list. */
function exitCodeOf([first]: readonly ErrorData[]): number {
  return first === undefined ? 0 : exitCodes[first.code];
}
