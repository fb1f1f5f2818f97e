// kubectl hotexec ls [WORD...]
import { driftOf, type AskingDrift } from '../connect/drift.ts';
import { openCluster } from '../connect/open-pod.ts';
import { each } from '../targets/list/found.ts';
import { listContainers, type FoundContainer } from '../targets/kubernetes/list.ts';
import { clusterOptions } from './cluster-flags.ts';
import type { CliContext } from './context.ts';
import type { LsFlags } from './flags.ts';
import { renderClusterList, type ClusterItem } from './render/cluster-list-text.ts';
import { escapeText, printableJson } from './render/escape.ts';
import { usageError } from './usage.ts';

export interface ClusterLsInvocation {
  readonly words: readonly string[];
  readonly flags: LsFlags;
}

export async function runClusterLs({ words, flags }: ClusterLsInvocation, context: CliContext): Promise<number> {
  const { allNamespaces = false, selector = null, quiet = false, drift: showDrift = false, output } = flags;
  if (allNamespaces && flags.namespace !== undefined) throw usageError('-n names one namespace, and -A means all.');
  if (allNamespaces && quiet)
    throw usageError('-q prints pods without their namespaces, and -A means all of them.', 'One namespace: -n NAME');
  const { env, signal, stdout, stderr } = context;
  const options = clusterOptions(flags, { target: null, env, force: false, timeoutMs: 0 });
  using api = await openCluster({ cluster: options, env, signal });
  const all = await listContainers({ selector, allNamespaces }, api);
  const found = all.filter((one) => words.every((word) => mentions(one, word)));
  const items = await withDrift(found, showDrift ? { api, version: options.version, signal } : null);

  if (output === 'json')
    stdout.write(`${printableJson({ apiVersion: 'hotexec/v1', kind: 'List', items, unreachable: [] }, 2)}\n`);
  else if (quiet) stdout.write(namesOf(items));
  else if (items.length > 0) {
    const style = { isWide: output === 'wide', allNamespaces, showDrift, now: new Date() };
    stdout.write(renderClusterList(items, style));
  } else stderr.write(`${nothing(words, allNamespaces ? null : api.cluster.namespace)}\n`);
  return 0;
}

async function withDrift(
  found: readonly FoundContainer[],
  asking: AskingDrift | null,
): Promise<readonly ClusterItem[]> {
  if (asking === null) return found.map(({ listed }) => ({ ...listed, drift: null }));
  return each(found, async ({ pod, container, listed }) => {
    const { agent } = listed;
    const isThere = agent?.state === 'running';
    return { ...listed, drift: isThere ? await driftOf({ pod, container, agent: agent.name }, asking) : null };
  });
}

/** In any place that is shown, whether in capitals or not. */
function mentions({ listed }: FoundContainer, word: string): boolean {
  const { pod, namespace, container, image, node } = listed;
  return [pod, namespace, container, image, node].some(
    (text) => text?.toLowerCase().includes(word.toLowerCase()) === true,
  );
}

/** Each pod once: of its containers the other commands say which there are. */
function namesOf(items: readonly ClusterItem[]): string {
  return [...new Set(items.map(({ target }) => target))].map((target) => `${escapeText(target)}\n`).join('');
}

function nothing(words: readonly string[], namespace: string | null): string {
  const where = namespace === null ? 'in this cluster' : `in namespace ${namespace}`;
  const which = words.length === 0 ? '' : ` and mentions ${words.map((word) => JSON.stringify(word)).join(' and ')}`;
  return `No container runs ${where} that can be restarted${which}.`;
}
