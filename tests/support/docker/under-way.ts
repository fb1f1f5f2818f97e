// A hotexec command that is under way: what it has told so far, a moment to act at, and how it ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { HotexecEvent, Phase } from '../../../src/protocol/event.ts';
import { until } from '../until.ts';
import { changeIn, type Change } from './change.ts';
import { hotexecCommand } from './hotexec.ts';
import { childrenOf } from './proc.ts';

export class UnderWay {
  readonly child: ChildProcess;
  readonly events: HotexecEvent[] = [];
  /** Its exit code and what it said at last; `SIGKILL` where it was killed. */
  readonly end: Promise<Change>;
  #lines = '';

  constructor(words: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const at = words.includes('--') ? words.indexOf('--') : words.length;
    const args = [...words.slice(0, at), '-o', 'jsonl', ...words.slice(at)];
    const child = spawn(hotexecCommand, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    this.end = once(child, 'close').then(([code, signal]: unknown[]) => {
      const last = JSON.stringify(this.events.at(-1) ?? {});
      return changeIn((code ?? signal) as Change['exitCode'], last, stderr);
    });
  }

  /** The moment when the phase has begun. */
  async reaches(phase: Phase): Promise<void> {
    await until(`${phase} begins`, () => this.events.some((event) => event.kind === 'phase' && event.phase === phase));
  }

  /** So much of the files is there. */
  async hasUploaded(bytes: number): Promise<void> {
    await until(`${bytes} bytes are there`, () =>
      this.events.some(
        (event) => event.kind === 'upload' && event.doneBytes >= bytes && event.doneBytes < event.totalBytes,
      ),
    );
  }

  async enginePid(): Promise<number> {
    const { pid } = this.child;
    if (pid === undefined) throw new Error('hotexec was not started');
    return await until('the engine is there', async () => (await childrenOf(pid))[0]);
  }

  #hear(text: string): void {
    const lines = `${this.#lines}${text}`.split('\n');
    this.#lines = lines.pop() ?? '';
    for (const line of lines) this.events.push(JSON.parse(line) as HotexecEvent);
  }
}
