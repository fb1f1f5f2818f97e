// A plan: what would run, then every step, numbered, with its system calls.
import type { Plan, PlannedCall } from '../../protocol/plan.ts';
import { plannedDrainRow, plannedListenerRows } from './drain.ts';
import { renderError } from './error-text.ts';
import { escapeText } from './escape.ts';
import { plannedFileRows } from './files.ts';
import { plannedHookRows } from './hooks.ts';
import type { Style } from './style.ts';
import { formatContainer, notFreshRows, programRows, warningRows } from './subject.ts';
import { listRows, rows, type Row } from './table.ts';

export function renderPlan(plan: Plan, style: Style): string {
  const { pid, container, before, after, files, notFresh, warnings } = plan;
  const facts: Row[] = [
    ['pid', String(pid)],
    ...(container === null ? [] : [['container', formatContainer(container)] as const]),
    ...programRows(before, after),
    ...(after === null ? [] : listRows('environment', after.environmentNames.map(escapeText))),
    ...plannedFileRows(files),
    ...(plan.possible
      ? [plannedDrainRow(plan.drain), ...plannedHookRows(plan.hooks), ...plannedListenerRows(plan.listeners)]
      : []),
    ...notFreshRows(notFresh),
    ...warningRows(warnings),
  ];
  const parts = [`${headline(plan, style)}\n${rows(facts)}\n`, steps(plan, style), refusals(plan, style)];
  return parts.filter((part) => part !== '').join('\n');
}

function headline({ target, possible }: Plan, style: Style): string {
  const verdict = possible ? style.green('can be restarted in place') : style.red('cannot be restarted');
  return `${style.bold(escapeText(target))} ${verdict} (nothing was touched)`;
}

function steps({ steps: all }: Plan, style: Style): string {
  const width = Math.max(0, ...all.flatMap(({ calls }) => calls.map(({ by }) => by.length)));
  return all
    .map(({ title, calls }, index) => {
      const lines = calls.map((call) => `     ${formatCall(call, width, style)}\n`);
      return `${style.bold(`${String(index + 1).padStart(2)}. ${escapeText(title)}`)}\n${lines.join('')}`;
    })
    .join('');
}

function formatCall({ by, call, when }: PlannedCall, width: number, style: Style): string {
  const condition = when === null ? '' : style.dim(`  ${escapeText(when)}`);
  return `${style.dim(by.padEnd(width))}  ${escapeText(call)}${condition}`;
}

function refusals({ refusals: all }: Plan, style: Style): string {
  return all.map((refusal) => renderError(refusal, style)).join('');
}
