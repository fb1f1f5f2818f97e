// An error as a person reads it: what happened and in which state the target is, then what to do.
import type { ErrorData } from '../../errors.ts';
import { escapeText } from './escape.ts';
import type { Style } from './style.ts';

export function renderError({ code, message, hint, details }: ErrorData, style: Style): string {
  // A bug brings a stack trace, which is nothing without its lines; other messages are one line whatever they quote.
  const text = code === 'bug' ? message.split('\n').map(escapeText).join('\n') : escapeText(message);
  const advice = hint === null ? '' : `${style.cyan('hint:')} ${escapeText(hint)}\n`;
  return `${style.red('error:')} ${text}\n${advice}${block(details?.['role'])}`;
}

/** What is to be copied stands by itself. */
function block(lines: unknown): string {
  if (typeof lines !== 'string') return '';
  return `\n${lines
    .split('\n')
    .map((line) => `  ${escapeText(line)}\n`)
    .join('')}`;
}
