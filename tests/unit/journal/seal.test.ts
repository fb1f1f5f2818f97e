import crypto from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openJournal, type JournalPlace } from '../../../src/journal/journal.ts';
import { sealOf } from '../../../src/protocol/seal.ts';
import { refusal } from '../../support/refusal.ts';
import { begin, header, mapping, pathOf, place, stopped } from './journals.ts';

const seal = sealOf('a'.repeat(64), crypto);

describe('a sealed line', () => {
  it('opens for its own container and at its own place alone', () => {
    const sealed = seal.close('A=geheim', '1-5000 0');
    expect(sealed).toMatch(/^[\w+/]+=*$/);
    expect(seal.open(sealed, '1-5000 0')).toBe('A=geheim');
    expect(() => seal.open(sealed, '1-5000 64')).toThrow(/authenticate|initialization/);
    expect(() => sealOf('b'.repeat(64), crypto).open(sealed, '1-5000 0')).toThrow(/authenticate|initialization/);
    expect(() => seal.open('', '1-5000 0')).toThrow(/authenticate|initialization/);
    expect(() => seal.open(`${sealed.slice(0, -4)}AAAA`, '1-5000 0')).toThrow(/authenticate|initialization/);
  });

  it('looks another way each time', () => {
    expect(seal.close('x', '0')).not.toBe(seal.close('x', '0'));
  });
});

function where(): JournalPlace {
  return { ...place(), seal };
}

describe('a journal where others could read it', () => {
  it('tells the next one what was begun, and shows nobody else a word of it', () => {
    const there = where();
    const journal = begin(there);
    const id = journal.enter(stopped);
    journal.enter(mapping);
    journal.strike(id);
    journal[Symbol.dispose]();
    const text = readFileSync(pathOf(there), 'latin1').replaceAll('\0', '');
    expect(text).toMatch(/^(?:[\w+/]+=*\n)+$/);
    const { journal: next, left } = openJournal(there);
    using _next = next;
    expect(left).toMatchObject({ header: { operationId: header.operationId, program: header.program } });
    expect(left?.changes.map(({ change }) => change)).toStrictEqual([mapping]);
  });

  it.each([
    ['a line that somebody has written himself', (text: string) => `${text}{"mark":"own"}\n`],
    ['a line that stood elsewhere', (text: string) => `${text}${text.split('\n')[1]}\n`],
    ['a line that was taken out', (text: string) => text.split('\n').toSpliced(1, 1).join('\n')],
    ['another first line', (text: string) => `AAAA${text.slice(4)}`],
  ])('is not believed with %s, and nothing is touched', (_what, changed) => {
    const there = where();
    const journal = begin(there);
    journal.enter(stopped);
    journal.enter(mapping);
    journal[Symbol.dispose]();
    const text = readFileSync(pathOf(there), 'latin1').replaceAll('\0', '');
    writeFileSync(pathOf(there), changed(text), 'latin1');
    const { code, message } = refusal(() => openJournal(there));
    expect(code).toBe('mend-failed');
    expect(message).toMatch(/is damaged: somebody else has written to it at byte \d+\. Nothing was touched now/);
  });
});
