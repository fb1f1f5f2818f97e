// Many pods on a terminal, each with what it is at: listr2 draws them. Loaded where a terminal shows several pods, and nowhere else.
import type { HotexecEvent } from '../../protocol/event.ts';
import { describeEnd } from '../../protocol/program-end.ts';
import type { RolloutEvent } from '../../rollout/event.ts';
import { escapeText } from './escape.ts';
import { phaseWords } from './events.ts';
import { stateWords } from './rollout-text.ts';
import type * as TaskLibrary from './task-library.ts';

export interface RolloutTasks {
  readonly onEvent: (event: RolloutEvent) => void;
  /** Takes what was drawn off the screen: what comes next is to stay. */
  readonly end: () => Promise<void>;
}

/** `terminal`: where it is drawn. Nothing else may write to it until the end. */
export async function showTasks(terminal: NodeJS.WriteStream): Promise<RolloutTasks> {
  const library = await import('./task-library.ts');
  const rows = new Map<string, Row>();
  let drawing: Promise<unknown> = Promise.resolve();
  return {
    onEvent: (event) => {
      if (event.kind === 'rollout') {
        // One workload after another: what was drawn of the last one is over.
        const these = event.pods.map((target) => new Row(target));
        for (const row of these) rows.set(row.target, row);
        drawing = drawing.then(async () => draw(these, { library, atOnce: event.atOnce, terminal }));
      } else if (event.kind === 'pod') {
        rows.get(event.target)?.come(event);
      } else {
        rows.get(event.target)?.say(event.kind === 'doing' ? event.what : wordsOf(event.event));
      }
    },
    end: async () => {
      for (const row of rows.values()) row.close();
      await drawing;
    },
  };
}

interface Drawing {
  readonly library: typeof TaskLibrary;
  readonly atOnce: number;
  readonly terminal: NodeJS.WriteStream;
}

async function draw(rows: readonly Row[], { library, atOnce, terminal }: Drawing): Promise<void> {
  const { Listr, ListrLogger, ProcessOutput } = library;
  /** listr2 would hold back what others write to standard output and error meanwhile, results among it. */
  class OneTerminal extends ProcessOutput {
    override hijack(): void {}
    override release(): void {}
  }
  const list = new Listr<object>(
    rows.map((row) => ({ title: row.title, task: (_context, task) => row.run(task) })),
    {
      concurrent: atOnce,
      exitOnError: false,
      // Ctrl-C is ours: it cancels, and what is under way finishes.
      registerSignalListeners: false,
      renderer: 'default',
      rendererOptions: {
        clearOutput: true,
        formatOutput: 'truncate',
        logger: new ListrLogger({ useIcons: true, processOutput: new OneTerminal(terminal, terminal) }),
      },
    },
  );
  await list.run();
}

/** What of listr2's task is used. */
interface Drawn {
  title: string;
  skip(message: string): void;
}

type PodEvent = Extract<RolloutEvent, { readonly kind: 'pod' }>;

class Row {
  readonly target: string;
  readonly #end: PromiseWithResolvers<PodEvent | null> = Promise.withResolvers();
  #drawn: Drawn | null = null;
  title: string;

  constructor(target: string) {
    this.target = target;
    this.title = escapeText(target);
  }

  /** Until the pod's turn is over. */
  async run(drawn: Drawn): Promise<void> {
    this.#drawn = drawn;
    drawn.title = this.title;
    const end = await this.#end.promise;
    if (end?.state === 'failed') throw new Error(this.title);
    if (end === null || end.state === 'skipped' || end.state === 'untouched') drawn.skip(this.title);
  }

  come(event: PodEvent): void {
    this.say(event.why === null ? stateWords[event.state] : `${stateWords[event.state]}: ${event.why}`);
    if (event.state !== 'restarting' && event.state !== 'settling') this.#end.resolve(event);
  }

  say(words: string | null): void {
    if (words === null) return;
    this.title = `${escapeText(this.target)}  ${escapeText(words)}`;
    if (this.#drawn !== null) this.#drawn.title = this.title;
  }

  close(): void {
    this.#end.resolve(null);
  }
}

/** Null: nothing that a line would be changed for. */
function wordsOf(event: HotexecEvent): string | null {
  switch (event.kind) {
    case 'phase':
      return phaseWords[event.phase];
    case 'hook-due':
      return `running the ${event.hook} hook (${event.action})`;
    case 'upload':
      return `${phaseWords.upload}: ${Math.floor((100 * event.doneBytes) / Math.max(1, event.totalBytes))} %`;
    case 'failed':
      return `it ${describeEnd(event.end)}`;
    case 'planned':
    case 'warning':
    case 'remote-call':
    case 'hook-ended':
    case 'timeline':
      return null;
  }
}
