// For the picture: what can be seen of a program that runs, every few milliseconds, by two cheap calls.
import { readOption } from '../native/sockets.ts';
import { countThreads } from '../procfs/threads.ts';
import { signalName } from '../tracer/signals.ts';
import type { HeldListener, HeldListeners } from './handover/held-listeners.ts';
import type { Host } from './host.ts';
import type { CaughtThread } from './watch.ts';

const shortestMs = 2;
/** A picture of ten minutes has no place for what happens within one: the number of samples grows with the logarithm of the time. */
const partOfAll = 500;

export class Samples {
  readonly #pid: number;
  readonly #listeners: HeldListeners;
  readonly #host: Host;
  readonly #startedMs = performance.now();
  #nextMs = 0;
  #last = '';
  #listened = false;

  constructor(pid: number, listeners: HeldListeners, host: Host) {
    this.#pid = pid;
    this.#listeners = listeners;
    this.#host = host;
  }

  listening(): void {
    if (this.#listened) return;
    this.#listened = true;
    this.#host.moment({ what: 'listening' });
  }

  /** Cheap enough for every stop of the program: most of the time it returns at once. */
  look(nowMs: number): void {
    if (!this.#host.wantsTimeline || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + Math.max(shortestMs, (nowMs - this.#startedMs) / partOfAll);
    const sample = { what: 'sample', threads: countThreads(this.#pid), waiting: waitingIn(this.#listeners) } as const;
    const seen = `${sample.threads} ${sample.waiting}`;
    if (seen === this.#last) return;
    this.#last = seen;
    this.#host.moment(sample);
  }
}

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_LISTEN = 10;
/** Of struct tcp_info: tcpi_state, and tcpi_unacked, which of a listener is the length of its queue (net/ipv4/tcp.c, tcp_get_info). */
const stateOffset = 0;
const unackedOffset = 24;

function waitingIn({ listeners }: HeldListeners): number | null {
  const queues = listeners.map(queueLength).filter((length) => length !== null);
  return queues.length === 0 ? null : queues.reduce((sum, length) => sum + length, 0);
}

function queueLength({ fd, state }: HeldListener): number | null {
  if (state === 'given-up') return null;
  const info = readOption(fd, IPPROTO_TCP, TCP_INFO);
  if (typeof info === 'number' || info[stateOffset] !== TCP_LISTEN) return null;
  return info.readUInt32LE(unackedOffset);
}

/** `exit 0`, `SIGSEGV`, `forced`. */
export function describeCaught(caught: CaughtThread): string {
  switch (caught.kind) {
    case 'exit':
    case 'before-exit':
      return `exit ${caught.code}`;
    case 'signal':
      return signalName(caught.signal);
    case 'silent':
      return 'forced';
  }
}
