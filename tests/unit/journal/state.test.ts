import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, Mark } from '../../../src/journal/change.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { readState, type JournalState } from '../../../src/journal/state.ts';
import { tempDirectory } from '../../support/temp.ts';
import { begin, header, holder, mapping, pathOf, place, stopped } from './journals.ts';

/** What a mender would read after an engine that did this was killed. */
function after(work: (journal: Journal) => void): JournalState {
  const where = place();
  work(begin(where));
  return required(readState(pathOf(where)));
}

function required(state: JournalState | null): JournalState {
  if (state === null) throw new Error('the journal has no header');
  return state;
}

function kinds(changes: JournalState['changes']): readonly string[] {
  return changes.map(({ change }) => change.kind);
}

describe('what a journal tells', () => {
  it('is what it was begun with, bytes that are no text included', () => {
    const state = after(() => {});
    expect(state).toMatchObject({ header, changes: [], changesAfterExec: [], mark: null, program: 'old' });
    expect(state.header.program.argv.map((word) => Buffer.from(word, 'base64'))).toStrictEqual([
      Buffer.from('x'),
      Buffer.of(0xff, 0xfe),
    ]);
  });

  it('is whether a program that is told to finish was sent its signal: whoever goes on sends it no other', () => {
    const told = after((journal) => journal.mark('draining'));
    expect(told).toMatchObject({ program: 'draining', asked: false });
    const asked = after((journal) => {
      journal.mark('draining');
      journal.mark('asked');
    });
    expect(asked).toMatchObject({ program: 'draining', asked: true });
  });

  it('are the changes that were begun and not undone, oldest first', () => {
    const state = after((journal) => {
      journal.enter(stopped);
      const mapped = journal.enter(mapping);
      journal.enter({ kind: 'personality', value: 7 });
      journal.strike(mapped);
    });
    expect(state.changes).toStrictEqual([
      { id: 1, change: stopped },
      { id: 3, change: { kind: 'personality', value: 7 } },
    ]);
  });

  it('is nothing once everything was undone', () => {
    const state = after((journal) => {
      for (const id of [journal.enter(stopped), journal.enter(mapping)].toReversed()) journal.strike(id);
    });
    expect(state.changes).toStrictEqual([]);
  });

  it.each(['released', 'again'] as const)('keeps what was done to files after the mark %s', (mark) => {
    const state = after((journal) => {
      journal.enter({ kind: 'temporary', directory: '/app', name: '.hotexec-1' });
      journal.enter(stopped);
      journal.mark('exec');
      journal.mark(mark);
    });
    expect(kinds(state.changes)).toStrictEqual(['temporary']);
  });

  it('sets changes to the new program apart from those to the old', () => {
    const state = after((journal) => {
      journal.enter(mapping);
      journal.mark('exec');
      journal.enter(stopped);
    });
    expect([kinds(state.changes), kinds(state.changesAfterExec), state.mark, state.program]).toStrictEqual([
      ['mapping'],
      ['stopped'],
      'exec',
      'old',
    ]);
  });

  it('takes changes after an exec that failed for the old program again', () => {
    const state = after((journal) => {
      journal.mark('exec');
      journal.mark('no-exec');
      journal.enter(stopped);
    });
    expect([kinds(state.changes), kinds(state.changesAfterExec), state.mark]).toStrictEqual([
      ['stopped'],
      [],
      'no-exec',
    ]);
  });

  it('strikes what was changed in the new program', () => {
    const state = after((journal) => {
      journal.mark('exec');
      const id = journal.enter(stopped);
      journal.mark('own');
      journal.enter(mapping);
      journal.strike(id);
    });
    expect([kinds(state.changes), kinds(state.changesAfterExec), state.mark]).toStrictEqual([[], ['mapping'], 'own']);
  });

  it.each([
    ['released', 'new'],
    ['again', 'unfinished'],
  ] as const)('forgets all but the holder at the mark %s: the %s program is there', (mark, program) => {
    const state = after((journal) => {
      journal.enter(stopped);
      journal.enter(holder);
      journal.mark('exec');
      journal.enter(mapping);
      journal.mark(mark);
      journal.enter(stopped);
    });
    expect([kinds(state.changes), state.changesAfterExec, state.program]).toStrictEqual([
      ['holder', 'stopped'],
      [],
      program,
    ]);
  });

  it('goes on after a mender: new lines count with the old, under numbers of their own', () => {
    const where = place();
    using journal = begin(where);
    journal.enter(stopped);
    journal.mark('exec');
    journal.enter(mapping);
    journal.resume(required(readState(pathOf(where))));
    expect(journal.enter(holder)).toBe(3);
    journal.strike(2);
    expect(kinds(required(readState(pathOf(where))).changesAfterExec)).toStrictEqual(['holder']);
  });

  it('is nothing after it was cleared', () => {
    const where = place();
    using journal = begin(where);
    journal.enter(stopped);
    journal.clear();
    expect(readState(pathOf(where))).toBeNull();
    journal.begin(header);
    expect(journal.enter(mapping)).toBe(1);
    expect(required(readState(pathOf(where))).changes).toStrictEqual([{ id: 1, change: mapping }]);
  });
});

describe('an engine killed in the middle of a line', () => {
  it('had not acted on it: the line does not count', () => {
    const where = place();
    const journal = begin(where);
    journal.enter(stopped);
    const { sizeBytes } = required(readState(pathOf(where)));
    journal.enter(mapping);
    truncateSync(pathOf(where), sizeBytes + 10);
    expect(required(readState(pathOf(where)))).toMatchObject({ changes: [{ id: 1, change: stopped }], sizeBytes });
  });

  it('leaves a journal that the next one goes on with, whatever the half line is', () => {
    const where = place();
    using journal = begin(where);
    journal.enter(stopped);
    const state = required(readState(pathOf(where)));
    const half = Buffer.concat([
      readFileSync(pathOf(where)).subarray(0, state.sizeBytes),
      Buffer.from('{"x":"ü'.repeat(90)),
    ]);
    writeFileSync(pathOf(where), half);
    journal.resume(state);
    journal.strike(1);
    journal.enter(holder);
    expect(required(readState(pathOf(where))).changes).toStrictEqual([{ id: 2, change: holder }]);
  });

  it('before the first line was whole leaves a journal that was never begun', () => {
    const directory = tempDirectory();
    const path = join(directory, 'journal');
    for (const content of ['', '{"header":', '\0\0\0', '{"header":\0\0']) {
      writeFileSync(path, content);
      expect(readState(path)).toBeNull();
    }
  });
});

describe('the room taken in advance', () => {
  it('is there before the first change, as zeros that say nothing', () => {
    const where = place();
    using journal = begin(where);
    const { size } = statSync(pathOf(where));
    const { sizeBytes } = required(readState(pathOf(where)));
    expect(size - sizeBytes).toBe(64 * 1024);
    expect(
      readFileSync(pathOf(where))
        .subarray(sizeBytes)
        .every((byte) => byte === 0),
    ).toBe(true);
    journal.enter(stopped);
    expect(statSync(pathOf(where)).size).toBe(size);
  });
});

// All that can be written, in any order.
type Step = { readonly enter: Change } | { readonly strike: number } | { readonly mark: Mark };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(stopped, mapping, holder),
  fc.record(
    { kind: fc.constant('registers' as const), tid: fc.nat(9999), bytes: fc.string({ unit: 'binary' }) },
    { noNullPrototype: true },
  ),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: change.map((enter) => ({ enter })) },
  { weight: 3, arbitrary: fc.nat(12).map((strike) => ({ strike })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Mark>('exec', 'no-exec', 'own', 'released', 'again').map((mark) => ({ mark })),
  },
);

function write(journal: Journal, wanted: Step): void {
  if ('enter' in wanted) journal.enter(wanted.enter);
  else if ('strike' in wanted) journal.strike(wanted.strike);
  else journal.mark(wanted.mark);
}

const ordered = (list: JournalState['changes']): boolean =>
  list.every(({ id }, at) => at === 0 || id > (list[at - 1]?.id ?? 0));

describe('any journal, cut anywhere', () => {
  it('tells what it told after its last whole line', () => {
    const where = place();
    const copy = join(tempDirectory(), 'cut');
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 14 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }),
        (steps, cuts) => {
          using journal = begin(where);
          const states = [required(readState(pathOf(where)))];
          for (const each of steps) {
            write(journal, each);
            states.push(required(readState(pathOf(where))));
          }
          const bytes = readFileSync(pathOf(where));
          const end = states.at(-1)?.sizeBytes ?? 0;
          for (const cut of cuts) {
            const sizeBytes = Math.round(cut * end);
            // Cut off, or with the room behind it.
            for (const room of [0, bytes.length - sizeBytes]) {
              writeFileSync(copy, Buffer.concat([bytes.subarray(0, sizeBytes), Buffer.alloc(room)]));
              expect(readState(copy)).toStrictEqual(states.findLast((state) => state.sizeBytes <= sizeBytes) ?? null);
            }
          }
          journal.finish();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never tells a change that was not entered, nor one that was struck', () => {
    const where = place();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        using journal = begin(where);
        const living = new Map<number, Change>();
        let next = 1;
        for (const each of steps) {
          write(journal, each);
          if ('enter' in each) living.set(next++, each.enter);
          else if ('strike' in each) living.delete(each.strike);
        }
        const state = required(readState(pathOf(where)));
        const told = [...state.changes, ...state.changesAfterExec];
        for (const { id, change: wanted } of told) expect(living.get(id)).toStrictEqual(wanted);
        const forgets = steps.some((each) => 'mark' in each && (each.mark === 'released' || each.mark === 'again'));
        const ids = told.map(({ id }) => id).toSorted((a, b) => a - b);
        expect(forgets || isDeepStrictEqual(ids, [...living.keys()])).toBe(true);
        expect([ordered(state.changes), ordered(state.changesAfterExec)]).toStrictEqual([true, true]);
        journal.finish();
      }),
      { numRuns: 200 },
    );
  });
});
