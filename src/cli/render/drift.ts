// What runs beside what the container was told to run.
import type { Drift } from '../../protocol/inspection.ts';
import { escapeText, quoteWords } from './escape.ts';
import { listRows, type Row } from './table.ts';

export function driftRows(drift: readonly Drift[]): readonly Row[] {
  return drift.flatMap(rowsOf);
}

function rowsOf(drift: Drift): readonly Row[] {
  switch (drift.kind) {
    case 'executable':
      return [['executable', `${escapeText(drift.path)} ${states[drift.state]}`]];
    case 'arguments':
      return [
        ['arguments', quoteWords(drift.running)],
        ['', `the spec has ${quoteWords(drift.spec)}`],
      ];
    case 'environment':
      return [...some('added', drift.added), ...some('removed', drift.removed), ...some('changed', drift.changed)];
    case 'directory':
      return [['directory', `${escapeText(drift.running)}, the spec has ${escapeText(drift.spec)}`]];
  }
}

const states: Readonly<Record<Extract<Drift, { readonly kind: 'executable' }>['state'], string>> = {
  replaced: 'was replaced on disk: what runs is not what stands there',
  deleted: 'was deleted: what runs stands nowhere',
  'in-memory': 'is in memory alone: a fresh start runs the file on disk',
  other: 'is not the file that the spec names',
};

function some(what: string, variables: readonly string[]): readonly Row[] {
  if (variables.length === 0) return [];
  const shown = variables.map(escapeText);
  // With values, which may have blanks in them, each has its line.
  if (!variables.some((text) => text.includes('='))) return listRows(`${what} variables`, shown);
  return shown.map((text, index) => [index === 0 ? `${what} variables` : '', text]);
}
