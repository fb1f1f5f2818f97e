// Where things are printed: results on standard output, all else on standard error, events as they come for jsonl.
import type { ErrorData } from '../errors.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import type { CliContext } from './context.ts';
import { printableJson } from './render/escape.ts';
import { renderCall, renderWarning, showProgress, type Progress } from './render/events.ts';
import { styleFor, type Style } from './render/style.ts';

export interface ReportOptions {
  readonly title: string;
  readonly output: 'text' | 'json' | 'jsonl';
  readonly quiet: boolean;
}

export interface Report extends Disposable {
  readonly onEvent: (event: HotexecEvent) => void;
  /** What is being waited for before there are events, as a clause. */
  readonly doing: (what: string) => void;
  /** The result, in the format that was asked for. */
  readonly print: (document: object, render: (style: Style) => string) => void;
}

export function openReport({ title, output, quiet }: ReportOptions, context: CliContext): Report {
  const { stdout, stderr, signal } = context;
  const progress: Progress | null = quiet ? null : showProgress(title, stderr, signal);
  return {
    onEvent: (event) => {
      progress?.onEvent(event);
      if (output === 'jsonl') stdout.write(`${printableJson(event)}\n`);
      else if (event.kind === 'remote-call' && !quiet) stderr.write(renderCall(event, stderr));
      else if (event.kind === 'warning' && !quiet) stderr.write(renderWarning(event, stderr));
    },
    doing: (what) => progress?.doing(what),
    print: (document, render) => {
      progress?.[Symbol.dispose]();
      if (output === 'jsonl') stdout.write(`${printableJson(document)}\n`);
      else if (output === 'json') stdout.write(`${printableJson(document, 2)}\n`);
      else if (!quiet) stdout.write(render(styleFor(stdout)));
    },
    [Symbol.dispose]: () => progress?.[Symbol.dispose](),
  };
}

/** For a script that reads standard output: why there is no result. */
export interface ErrorDocument {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'Error';
  readonly outcome: null;
  readonly error: ErrorData;
}

export function errorDocument(error: ErrorData): ErrorDocument {
  return { apiVersion: 'hotexec/v1', kind: 'Error', outcome: null, error };
}
