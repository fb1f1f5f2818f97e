// Journals in a directory of the test's own.
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Change } from '../../../src/journal/change.ts';
import { journalHeader, type JournalHeader } from '../../../src/journal/header.ts';
import { openJournal, type Journal, type JournalPlace } from '../../../src/journal/journal.ts';
import { targetProcess } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';
import { restartRequest } from '../engine/observed.ts';

export const enginePid = 4321;

export function place(directory: string = join(tempDirectory(), 'hotexec')): JournalPlace {
  return { directory, uid: process.getuid?.() ?? 0, enginePid, pid: 4711, startTicks: 429_055 };
}

export function pathOf({ directory, pid, startTicks }: JournalPlace): string {
  return join(directory, `${pid}-${startTicks}`);
}

export const header: JournalHeader = journalHeader(restartRequest(targetProcess), enginePid, {
  program: {
    path: Buffer.from('/bin/ü'),
    argv: [Buffer.from('x'), Buffer.of(0xff, 0xfe)],
    environment: [Buffer.from('A=1')],
    cwd: null,
    memory: null,
  },
  previous: null,
});

/** Begun, and left as a killed engine leaves it when the test does not end it. */
export function begin(where: JournalPlace): Journal {
  const { journal } = openJournal(where);
  let closed = false;
  const dispose = journal[Symbol.dispose].bind(journal);
  journal[Symbol.dispose] = (): void => {
    if (!closed) dispose();
    closed = true;
  };
  onTestFinished(() => journal[Symbol.dispose]());
  journal.clear();
  journal.begin(header);
  return journal;
}

export const stopped: Change = { kind: 'stopped', pid: 4711, alreadyStopped: false, tid: 4711, mask: '0' };
export const mapping: Change = { kind: 'mapping', address: '0x7f00', sizeBytes: 8192, nonce: 'ab' };
export const holder: Change = { kind: 'holder', pidInside: 17 };
