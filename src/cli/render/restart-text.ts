// The result of a restart in a few lines.
import type { RestartResult } from '../../protocol/result.ts';
import { escapeText } from './escape.ts';
import type { Style } from './style.ts';
import { formatContainer, notFreshRows, programRows, warningRows } from './subject.ts';
import { count, formatMs, rows, type Row } from './table.ts';

export function renderRestart(result: RestartResult, style: Style): string {
  const { pid, container, before, after, children, notFresh, warnings, timingsMs } = result;
  const restarted = result.outcome === 'restarted';
  const the = restarted ? ', the same' : '';
  const all: Row[] = [
    ['pid', `${pid}${the}`],
    ...(container === null ? [] : [['container', `${formatContainer(container)}${the}`] as const]),
    ...programRows(before, after),
    ['held', `${formatMs(timingsMs.hold)} of ${formatMs(timingsMs.total)}`],
    ...result.listeners.map(({ address, handedOver }): Row => [
      'listener',
      `${escapeText(address)}, ${handedOver ? 'handed over' : 'opened anew'}`,
    ]),
    ...(children.killed === 0
      ? []
      : [['children', `${count(children.killed, 'child process', 'child processes')} ended`] as const]),
    ...notFreshRows(notFresh),
    ...warningRows(warnings),
  ];
  return `${headline(result, style)}\n${rows(all)}\n`;
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
