// A model of a container: a map of paths to contents. Whatever has been changed, failed, restarted and gone back to, each version that the
// record calls available gives exactly the files that were there when it ran.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FileChange } from '../../../src/history/entry.ts';
import type { ProgramHistory } from '../../../src/history/history.ts';
import type { RestoredFile } from '../../../src/history/resolve.ts';
import { limits, type Limits } from '../../../src/history/bound.ts';
import { life, open, place, program, running, starting } from './records.ts';

const paths = ['/a', '/b', '/c'];

type Step =
  | {
      readonly kind: 'change' | 'fail';
      readonly contents: readonly (readonly [path: string, content: string | null])[];
    }
  | { readonly kind: 'arguments' | 'same' | 'reopen' | 'container restart' }
  | { readonly kind: 'back'; readonly pick: number };

const contents = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...paths), fc.option(fc.string({ minLength: 1, maxLength: 3 }), { freq: 4 })),
  { selector: ([path]) => path, minLength: 1 },
);

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('change', 'fail'), contents }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('arguments', 'same', 'reopen', 'container restart') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('back'), pick: fc.nat(20) }) },
);

/** The container, and hotexec's file stage in it. */
class Container {
  readonly files = new Map<string, string>();
  readonly kept = new Map<string, string>();
  readonly snapshots = new Map<number, ReadonlyMap<string, string>>();
  history: ProgramHistory;
  exec = 1;
  start = 1;
  argument = 0;
  readonly #where = place();
  readonly #limits: Limits;
  #nextKept = 1;

  constructor(within: Limits) {
    this.#limits = within;
    this.history = this.open();
    this.remember();
  }

  open(): ProgramHistory {
    const now = running(program('app', String(this.argument)), life(this.exec, this.start));
    return open(this.#where, now, { isThere: (path) => this.kept.has(path), limits: this.#limits });
  }

  apply(path: string, content: string | null): FileChange {
    const old = this.files.get(path);
    const keptAs = old === undefined ? null : `/kept/${this.#nextKept++}`;
    if (keptAs !== null) this.kept.set(keptAs, old ?? '');
    if (content === null) this.files.delete(path);
    else this.files.set(path, content);
    const before =
      keptAs === null ? null : { keptAs, mode: 0o644, uid: 0, gid: 0, sizeBytes: old?.length ?? 0, capability: null };
    return { path, change: content === null ? 'removed' : 'replaced', digest: content, before };
  }

  restored({ path, before }: RestoredFile): FileChange {
    if (before === null) return this.apply(path, null);
    const content = this.kept.get(before.keptAs);
    if (content === undefined) throw new Error(`${before.keptAs} is gone`);
    return this.apply(path, content);
  }

  settle(files: readonly FileChange[], { argument = this.argument, backTo = null as number | null } = {}): void {
    this.history.begin(starting(program('app', String(argument)), { files, backTo }));
    this.exec += 1;
    this.argument = argument;
    this.delete(this.history.settle({ kind: 'running', run: life(this.exec, this.start) }).unneeded);
    this.remember();
  }

  fail(changes: readonly (readonly [string, string | null])[]): void {
    const before = new Map(this.files);
    const files = changes.map(([path, content]) => this.apply(path, content));
    this.history.begin(starting(program('bad'), { files }));
    this.files.clear();
    for (const [path, content] of before) this.files.set(path, content);
    this.exec += 2;
    this.delete(this.history.settle({ kind: 'failed', end: null, run: life(this.exec, this.start) }).unneeded);
  }

  delete(unneeded: readonly string[]): void {
    for (const path of unneeded) this.kept.delete(path);
  }

  remember(): void {
    const current = this.history.versions.find(({ state }) => state === 'running');
    this.snapshots.set(current?.number ?? 0, new Map(this.files));
  }
}

function take(container: Container, step: Step): void {
  switch (step.kind) {
    case 'change':
      container.settle(step.contents.map(([path, content]) => container.apply(path, content)));
      return;
    case 'fail':
      container.fail(step.contents);
      return;
    case 'arguments':
      container.settle([], { argument: container.argument + 1 });
      return;
    case 'same':
      container.settle([]);
      return;
    case 'reopen':
      container.history = container.open();
      return;
    case 'container restart':
      container.start += 1;
      container.exec += 1;
      container.history = container.open();
      container.remember();
      return;
    case 'back':
      goBack(container, step.pick);
  }
}

function goBack(container: Container, pick: number): void {
  const available = container.history.versions.filter(
    (version) => version.available === true && version.state !== 'failed',
  );
  const version = available[pick % available.length];
  if (version === undefined) return;
  const resolved = container.history.resolve(version.number);
  const files = resolved.files.map((file) => container.restored(file));
  container.settle(files, { argument: Number(resolved.program.argv[1]), backTo: version.number });
  expect(container.files).toEqual(container.snapshots.get(version.number));
}

it('gives the files of that time, for any changes, failures and rollbacks', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 25 }), (steps) => {
      const container = new Container({ ...limits, versions: 100 });
      for (const next of steps) take(container, next);
    }),
    { numRuns: 60 },
  );
});

it('gives them also where old versions fall out, keeps no more than it says, and the previous one always', () => {
  const within = { ...limits, versions: 4, keptBytes: 5 };
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 5, maxLength: 40 }), (steps) => {
      const container = new Container(within);
      for (const next of steps) {
        take(container, next);
        const { versions } = container.history;
        expect(versions.length).toBeLessThanOrEqual(within.versions + 1);
        const good = versions.filter(({ state }) => state !== 'failed');
        expect(good.slice(1, 2).map(({ available }) => available)).not.toContainEqual(expect.any(String));
        const keptBytes = [...container.kept.values()].join('').length;
        expect(good.length <= 2 || keptBytes <= within.keptBytes).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});
