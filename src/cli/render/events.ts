// What happens meanwhile: one line on a terminal that comes late enough not to flicker; with --verbose the system calls.
import type { HotexecEvent, Phase } from '../../protocol/event.ts';
import { describeEnd } from '../../protocol/program-end.ts';
import type { Output } from '../context.ts';
import { escapeText } from './escape.ts';
import { styleFor } from './style.ts';
import { uploadMeter } from './upload.ts';

export interface Progress extends Disposable {
  readonly onEvent: (event: HotexecEvent) => void;
  readonly doing: (what: string) => void;
}

export const phaseWords: Readonly<Record<Phase, string>> = {
  observe: 'looking at the process',
  plan: 'planning',
  upload: 'bringing files into the container',
  hold: 'stopping its threads',
  prove: 'trying the new program in a child',
  swap: 'starting the new program',
  reset: 'resetting what execve keeps',
  release: 'letting it go',
  drain: 'waiting until the old program has finished',
  probation: 'watching the new program',
  rollback: 'starting the previous program again',
  verify: 'verifying',
  mend: 'mending what a killed hotexec left',
};

const delayMs = 300;
const everyMs = 100;
const frames = ['|', '/', '-', '\\'] as const;
const eraseLine = '\r\u001b[2K';

/** Writes nothing on what is no terminal. */
export function showProgress(title: string, { write, isTerminal }: Output, signal: AbortSignal): Progress {
  if (!isTerminal) return { onEvent: () => {}, doing: () => {}, [Symbol.dispose]: () => {} };
  const startedMs = performance.now();
  const meter = uploadMeter(() => performance.now());
  let doing = 'finding the process';
  let shown = false;
  let tick = 0;
  const draw = (): void => {
    if (performance.now() - startedMs < delayMs) return;
    const frame = frames[tick++ % frames.length] ?? '';
    const what = signal.aborted ? 'cancelling, or finishing if it is too late for that' : doing;
    write(`${eraseLine}${frame} ${escapeText(title)}: ${what} ...`);
    shown = true;
  };
  // The line that comes next is to stay.
  const clear = (): void => {
    if (shown) write(eraseLine);
    shown = false;
  };
  const timer = setInterval(draw, everyMs);
  return {
    onEvent: (event) => {
      if (event.kind === 'phase') doing = phaseWords[event.phase];
      else if (event.kind === 'upload') doing = meter(event);
      else if (event.kind === 'hook-due') doing = `running the ${event.hook} hook (${event.action})`;
      else if (event.kind === 'failed') doing = `it ${escapeText(describeEnd(event.end))}`;
      else if (event.kind === 'warning') clear();
    },
    doing: (what) => (doing = escapeText(what)),
    [Symbol.dispose]: () => {
      clearInterval(timer);
      clear();
    },
  };
}

/** Told when it happens: what it says may be why the wait is long. */
export function renderWarning(
  { message }: Extract<HotexecEvent, { readonly kind: 'warning' }>,
  output: Output,
): string {
  return `${styleFor(output).yellow('warning:')} ${escapeText(message)}\n`;
}

/** `4711 mmap(0x7f0000000000, 4096, ...) = 0x7f0000000000  31 us` */
export function renderCall(event: Extract<HotexecEvent, { readonly kind: 'remote-call' }>, output: Output): string {
  const style = styleFor(output);
  const call = escapeText(`${event.call}(${event.args}) = ${event.result}`);
  return `${style.dim(String(event.tid))} ${call}  ${style.dim(`${Math.round(event.durationUs)} us`)}\n`;
}
