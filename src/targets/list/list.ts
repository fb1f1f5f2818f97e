// What can be restarted on this machine: the running containers of every runtime that answers, each once, with the process that is its
// first. What a runtime says is checked against /proc, as it is when one of them is a target.
import type { ErrorData, HotexecError } from '../../errors.ts';
import type { ResolveContext } from '../resolve.ts';
import { containerdContainers } from './containerd.ts';
import { criContainers } from './cri.ts';
import { dockerContainers } from './docker.ts';
import type { Found, Source } from './found.ts';
import { firstProcess } from './process.ts';

/** As `-o json` prints it. */
export interface TargetList {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'List';
  readonly items: readonly ListedTarget[];
  /** Runtimes that are there and did not answer. */
  readonly unreachable: readonly ErrorData[];
}

export interface ListedTarget {
  readonly kind: 'Target';
  /** As a command takes it: `docker/web`, `cri/3f9a0c1d2e4b`, `containerd/redis`. */
  readonly target: string;
  /** `docker`, `containerd` or `cri-o`. */
  readonly runtime: string;
  readonly id: string;
  /** Null: it belongs to no pod. */
  readonly pod: string | null;
  readonly namespace: string | null;
  readonly container: string;
  /** containerd's own, of a container that only it knows. */
  readonly containerdNamespace: string | null;
  readonly pid: number;
  /** Of what runs now; empty where the process has overwritten all of it. */
  readonly program: readonly string[];
  /** When the process was started, to the second; a restart in place does not change it. */
  readonly startedAt: string;
}

export interface ListContext extends ResolveContext {
  /** Of one runtime, instead of those that usually listen somewhere; null: those. */
  readonly endpoint: string | null;
}

/** Throws HotexecError only when it is cancelled, or an address makes no sense. */
export async function listTargets(context: ListContext): Promise<TargetList> {
  const asked = [criContainers(context), containerdContainers(context)];
  const sources = await Promise.all(context.endpoint === null ? [dockerContainers(context), ...asked] : asked);
  const unreachable = eachSentence(sources.flatMap((source) => source.failures));
  const cancelled = unreachable.find(({ code }) => code === 'cancelled');
  if (cancelled !== undefined) throw cancelled;
  return {
    apiVersion: 'hotexec/v1',
    kind: 'List',
    items: named(eachOnce(sources))
      .flatMap((found) => described(found, context.proc))
      .toSorted(byPlace),
    unreachable: unreachable.map((error) => error.toData()),
  };
}

/** A socket may have been asked for pods and for containers. */
function eachSentence(failures: readonly HotexecError[]): readonly HotexecError[] {
  return [...new Map(failures.map((failure) => [failure.message, failure])).values()];
}

/** cri-dockerd's containers are Docker's. */
function eachOnce(sources: readonly Source[]): readonly Found[] {
  const byId = new Map<string, Found>();
  for (const found of sources.flatMap((source) => source.found)) {
    const key = `${found.containerdNamespace ?? ''}/${found.id}`;
    if (!byId.has(key)) byId.set(key, found);
  }
  return [...byId.values()];
}

const shortIdLength = 12;

/** As short as it can be told from all others. */
function named(all: readonly Found[]): readonly (Found & { readonly target: string })[] {
  return all.map((found) => ({ ...found, target: targetOf(found, all) }));
}

function targetOf({ type, id, name, containerdNamespace }: Found, all: readonly Found[]): string {
  switch (type) {
    case 'docker':
      return `docker/${name}`;
    case 'cri': {
      const short = id.slice(0, shortIdLength);
      const isUnique = all.filter((other) => other.type === 'cri' && other.id.startsWith(short)).length === 1;
      return `cri/${isUnique ? short : id}`;
    }
    case 'containerd': {
      const others = all.filter((other) => other.type === 'containerd' && other.name === name);
      return others.length === 1 ? `containerd/${name}` : `containerd/${containerdNamespace ?? ''}/${name}`;
    }
  }
}

function described(found: Found & { readonly target: string }, proc: string): readonly ListedTarget[] {
  const { target, runtime, id, pod, namespace, name, containerdNamespace, pid } = found;
  const process = firstProcess({ pid, id }, proc);
  if (process === null) return [];
  const place = { pod, namespace, container: found.container ?? name, containerdNamespace };
  return [{ kind: 'Target', target, runtime, id, ...place, pid, ...process }];
}

/** Those of pods last: namespace, pod, container, as kubectl sorts. */
function byPlace(a: ListedTarget, b: ListedTarget): number {
  return (
    compare(a.namespace ?? '', b.namespace ?? '') ||
    compare(a.pod ?? '', b.pod ?? '') ||
    compare(a.container, b.container) ||
    compare(a.target, b.target)
  );
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(a: string, b: string): number {
  return collator.compare(a, b);
}
