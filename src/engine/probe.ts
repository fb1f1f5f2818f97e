// `--probe`: the new program must answer before its probation is over. The watch loop, which must not wait for anything but its tracee,
// calls poll() every few ms; a call takes well under a millisecond.
import { closeSync } from 'node:fs';
import type { ErrorData } from '../errors.ts';
import { describeErrno } from '../native/errno.ts';
import { openSocketDiagnosis, openStream, type Endpoint } from '../native/socket.ts';
import type { Probe } from '../protocol/request.ts';
import { NetworkNamespace } from './network-namespace.ts';
import { formatHostPort, parseEndpoint } from './probe/address.ts';
import { Attempt } from './probe/attempt.ts';
import { isRequestPath } from './probe/http-answer.ts';

const pauseMs = 50;

export class ProbeAttempts implements Disposable {
  readonly #probe: Probe;
  readonly #endpoint: Endpoint;
  readonly #tid: number;
  readonly #namespace: NetworkNamespace;
  readonly #diagnosis: number;
  #attempt: Attempt | null = null;
  #nextAtMs = 0;
  #lastFailure: string | null = null;
  #answered = false;

  constructor(probe: Probe, endpoint: Endpoint, tid: number) {
    this.#probe = probe;
    this.#endpoint = endpoint;
    this.#tid = tid;
    this.#namespace = new NetworkNamespace(tid);
    this.#diagnosis = this.#namespace.within(openSocketDiagnosis);
  }

  /**
   * Goes on with the attempt, or begins one; never waits. `waiting` until an attempt was answered, then `answered` for ever.
   * An attempt has 1 s, or the probe's own time; the next one comes 50 ms after a failure. `nowMs`: performance.now().
   */
  poll(nowMs: number = performance.now()): 'answered' | 'waiting' {
    if (this.#answered) return 'answered';
    if (this.#attempt === null && nowMs < this.#nextAtMs) return 'waiting';
    this.#attempt ??= this.#begin(nowMs);
    const step = this.#attempt?.step(nowMs);
    if (step === undefined || step.kind === 'waiting') return 'waiting';
    this.#end();
    this.#answered = step.kind === 'answered';
    if (step.kind === 'failed') this.#fail(step.why, nowMs);
    return this.#answered ? 'answered' : 'waiting';
  }

  /** How the last attempt failed, to follow a name of the probe: `was answered 503`, `got no answer within 1 s`; null: none has failed. */
  get lastFailure(): string | null {
    return this.#lastFailure;
  }

  #begin(nowMs: number): Attempt | null {
    const fd = this.#namespace.within(() => openStream(this.#endpoint.family));
    if (fd < 0) {
      this.#fail(`could not be made: ${describeErrno(fd)}`, nowMs);
      return null;
    }
    const sockets = { diagnosis: this.#diagnosis, tid: this.#tid };
    return new Attempt(this.#probe, fd, { endpoint: this.#endpoint, sockets, nowMs });
  }

  #fail(why: string, nowMs: number): void {
    this.#lastFailure = why;
    this.#nextAtMs = nowMs + pauseMs;
  }

  #end(): void {
    this.#attempt?.[Symbol.dispose]();
    this.#attempt = null;
  }

  [Symbol.dispose](): void {
    this.#end();
    if (this.#diagnosis >= 0) closeSync(this.#diagnosis);
    this.#namespace[Symbol.dispose]();
  }
}

/** `tid`: a live thread of the target; its network namespace at this moment is the one that is used. Ask `probeRefusal` before. */
export function openProbe(probe: Probe, tid: number): ProbeAttempts {
  const endpoint = parseEndpoint(probe.host, probe.port);
  if (endpoint === undefined) throw new Error(`the probe of ${probe.host} was not refused`);
  return new ProbeAttempts(probe, endpoint, tid);
}

/** `http://127.0.0.1:8080/healthz`, `tcp:[::1]:80`. */
export function describeProbe(probe: Probe): string {
  const where = formatHostPort(probe.host, probe.port);
  return probe.kind === 'http' ? `http://${where}${probe.path}` : `tcp:${where}`;
}

/** Why this probe cannot be made in the network namespace of the target; null: it can. Nothing of the target is touched. */
export function probeRefusal(
  probe: Probe,
  { tid, name }: { readonly tid: number; readonly name: string },
): ErrorData | null {
  const nonsense = whyNonsense(probe);
  if (nonsense !== null) {
    return { code: 'usage', message: `--probe ${describeProbe(probe)}: ${nonsense}. Nothing was touched.`, hint: null };
  }
  const why = whyNoEntry(tid);
  if (why === null) return null;
  return {
    code: 'not-permitted',
    message: `${name}: --probe is made in the network namespace of the target, and hotexec may not go there: ${why}. Nothing was touched.`,
    hint: 'that needs CAP_SYS_ADMIN: run hotexec as root, or without --probe',
  };
}

function whyNonsense(probe: Probe): string | null {
  if (parseEndpoint(probe.host, probe.port) === undefined) {
    return 'HOST must be an IP address that is not link-local, and PORT a number from 1 to 65535';
  }
  if (probe.kind === 'http' && !isRequestPath(probe.path)) {
    return 'the path must begin with / and have no space, control character or character beyond ASCII (write %20 and the like)';
  }
  return null;
}

function whyNoEntry(tid: number): string | null {
  try {
    using namespace = new NetworkNamespace(tid);
    const went = namespace.within(() => 0);
    return went < 0 ? `setns: ${describeErrno(went)}` : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
