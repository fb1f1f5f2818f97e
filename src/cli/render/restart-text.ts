// The result of a restart in a few lines.
import { describeEnd } from '../../protocol/program-end.ts';
import type { RestartResult } from '../../protocol/result.ts';
import { drainRows, listenerRows } from './drain.ts';
import { escapeText } from './escape.ts';
import { hookRows } from './hooks.ts';
import { changedFileRows, putBackRows } from './files.ts';
import type { Style } from './style.ts';
import { formatContainer, notFreshRows, programRows, warningRows } from './subject.ts';
import { count, formatMs, rows, type Row } from './table.ts';

export function renderRestart(result: RestartResult, style: Style): string {
  const { pid, container, before, after, children, notFresh, warnings, timingsMs } = result;
  const restarted = result.outcome === 'restarted';
  const rolledBack = result.outcome === 'rolled-back';
  const the = restarted || rolledBack ? ', the same' : '';
  const all: Row[] = [
    ['pid', `${pid}${the}`],
    ...(container === null ? [] : [['container', `${formatContainer(container)}${the}`] as const]),
    ...programRows(before, rolledBack ? null : after),
    ...(rolledBack ? putBackRows(result.files) : changedFileRows(result.files)),
    ...failedRows(result),
    ...drainRows(result.drain),
    ...hookRows(result.hooks),
    ...listenerRows(result.listeners),
    ...gapRows(result),
    ...probationRows(result),
    ['held', `${formatMs(timingsMs.hold)} of ${formatMs(timingsMs.total)}`],
    ...(children.killed === 0
      ? []
      : [['children', `${count(children.killed, 'child process', 'child processes')} ended`] as const]),
    ...notFreshRows(notFresh),
    ...warningRows(warnings),
  ];
  return `${headline(result, style)}\n${rows(all)}\n`;
}

/** The previous program runs again; this is what became of the new one. */
function failedRows({ failed }: RestartResult): readonly Row[] {
  return failed === null ? [] : [['new program', escapeText(describeEnd(failed))]];
}

/** How long nobody answered; a connection that came meanwhile has waited, where its listener was handed over. */
function gapRows({ timingsMs: { gap, toFirstListen } }: RestartResult): readonly Row[] {
  const listened = toFirstListen === undefined ? '' : `it listened ${formatMs(toFirstListen)} after its start`;
  if (gap === undefined) return listened === '' ? [] : [['gap', listened]];
  const ends = `${formatMs(gap)} from the old program's end to the new one's start`;
  return [['gap', listened === '' ? ends : `${ends}; ${listened}`]];
}

function probationRows({ probation: { end, ms } }: RestartResult): readonly Row[] {
  const watched = (how: string): readonly Row[] => [['watched', `${formatMs(ms)}${how}`]];
  switch (end) {
    case 'none':
    case 'failed':
      return [];
    case 'listening':
      return watched(', until it listened again');
    case 'answered':
      return watched(', until it answered the probe');
    case 'time':
      return watched(', and it runs');
    case 'ended':
      return watched(', until it had done its work and exited with 0');
    case 'cut-short':
      return ms === 0 ? [] : watched(', then hotexec had to let it go');
  }
}

function headline({ outcome, target }: RestartResult, style: Style): string {
  const name = style.bold(escapeText(target));
  switch (outcome) {
    case 'restarted':
      return `${name} ${style.green('restarted in place')}`;
    case 'unchanged':
      return `${name} ${style.yellow('is unchanged: the restart failed')}`;
    case 'rolled-back':
      return `${name} ${style.yellow('is back on its previous program: the new one failed')}`;
    case 'stopped':
      return `${name} ${style.yellow('was stopped by somebody else meanwhile')}`;
    case 'lost':
      return `${name} ${style.red('has ended')}`;
  }
}
