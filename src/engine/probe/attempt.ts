// One attempt of a probe: one connection, driven by small steps that never wait.
import { closeSync } from 'node:fs';
import { describeErrno, EAGAIN } from '../../native/errno.ts';
import { connect, connectionEnds, connectResult, receive, send, type Endpoint } from '../../native/socket.ts';
import type { Probe } from '../../protocol/request.ts';
import { acceptance, type SocketSource } from './accepted.ts';
import { httpRequest, parseHttpAnswer } from './http-answer.ts';

export type AttemptStep =
  | { readonly kind: 'answered' | 'waiting' }
  /** `why` completes "the probe …": `got no answer within 1 s`. */
  | { readonly kind: 'failed'; readonly why: string };

const defaultTimeoutMs = 1_000;
const longestAnswerBytes = 64 * 1024;
const EINPROGRESS = 115;
const ECONNRESET = 104;
const ECONNREFUSED = 111;

const waiting: AttemptStep = { kind: 'waiting' };
const answered: AttemptStep = { kind: 'answered' };

export class Attempt implements Disposable {
  readonly #probe: Probe;
  readonly #fd: number;
  readonly #sockets: SocketSource;
  readonly #deadlineMs: number;
  readonly #connecting: number;
  #phase: 'connecting' | 'sending' | 'receiving' | 'queued' = 'connecting';
  #unsent: Buffer;
  #received: Buffer = Buffer.alloc(0);

  /** Takes over `fd`, an unconnected socket in the right namespace. Times are performance.now() ms. */
  constructor(
    probe: Probe,
    fd: number,
    to: { readonly endpoint: Endpoint; readonly sockets: SocketSource; readonly nowMs: number },
  ) {
    this.#probe = probe;
    this.#fd = fd;
    this.#sockets = to.sockets;
    this.#deadlineMs = to.nowMs + timeoutMsOf(probe);
    this.#unsent = probe.kind === 'http' ? httpRequest(probe) : Buffer.alloc(0);
    this.#connecting = connect(fd, to.endpoint);
  }

  step(nowMs: number): AttemptStep {
    const step = this.#advance();
    if (step.kind !== 'waiting' || nowMs < this.#deadlineMs) return step;
    return failed(`${late[this.#phase]} within ${timeoutMsOf(this.#probe) / 1000} s`);
  }

  #advance(): AttemptStep {
    if (this.#phase === 'connecting') {
      const result = this.#connecting === -EINPROGRESS ? connectResult(this.#fd) : this.#connecting;
      if (result === undefined) return waiting;
      if (result < 0) return failed(describeFailure(result));
      this.#phase = this.#probe.kind === 'http' ? 'sending' : 'queued';
    }
    if (this.#phase === 'queued') return this.#lookForAccept();
    if (this.#phase === 'sending') {
      const step = this.#sendRest();
      if (step !== undefined) return step;
      this.#phase = 'receiving';
    }
    return this.#receiveAnswer();
  }

  /** What the peer sends, or its orderly close, it does after accept(2); a listener that is closed resets what waits in its queue. */
  #lookForAccept(): AttemptStep {
    const ends = connectionEnds(this.#fd);
    const state = ends === undefined ? 'queued' : acceptance(this.#sockets, ends);
    // After the look: a listener that has gone meanwhile must not count as a peer elsewhere.
    const got = receive(this.#fd);
    if (typeof got !== 'number') return answered;
    if (got !== -EAGAIN) return failed(describeFailure(got));
    return state === 'queued' ? waiting : answered;
  }

  #sendRest(): AttemptStep | undefined {
    const sent = send(this.#fd, this.#unsent);
    if (sent === -EAGAIN) return waiting;
    if (sent < 0) return failed(describeFailure(sent));
    this.#unsent = this.#unsent.subarray(sent);
    return this.#unsent.length === 0 ? undefined : waiting;
  }

  #receiveAnswer(): AttemptStep {
    for (;;) {
      const got = receive(this.#fd);
      if (got === -EAGAIN) return waiting;
      if (typeof got === 'number') return failed(describeFailure(got));
      if (got.length === 0) {
        return failed(
          this.#received.length === 0 ? 'was closed without an answer' : 'was closed in the middle of an answer',
        );
      }
      this.#received = Buffer.concat([this.#received, got]);
      const answer = parseHttpAnswer(this.#received);
      if (answer.kind === 'not-http') return failed('was answered with something that is not HTTP/1');
      if (answer.kind === 'status') return judge(answer.status);
      if (this.#received.length > longestAnswerBytes) return failed('got no status in the first 64 KiB of an answer');
    }
  }

  [Symbol.dispose](): void {
    // Unread bytes would make of the close a reset, and some programs complain about that.
    for (let left = 4; left > 0 && typeof receive(this.#fd) !== 'number';) left -= 1;
    closeSync(this.#fd);
  }
}

const late = {
  connecting: 'got no connection',
  queued: 'was not accepted',
  sending: 'got no answer',
  receiving: 'got no answer',
} as const;

function timeoutMsOf({ timeoutMs }: Probe): number {
  return timeoutMs ?? defaultTimeoutMs;
}

/** As the kubelet judges (pkg/probe/http/http.go). Redirects are not followed. */
function judge(status: number): AttemptStep {
  return status >= 200 && status <= 399 ? answered : failed(`was answered ${status}`);
}

function failed(why: string): AttemptStep {
  return { kind: 'failed', why };
}

function describeFailure(errno: number): string {
  if (errno === -ECONNREFUSED) return 'was refused (connection refused)';
  if (errno === -ECONNRESET) return 'was cut off (connection reset)';
  return `failed with ${describeErrno(errno)}`;
}
