// What the tracer throws; the main flow gives it the words a person reads.

/** A tracee ended while we worked on it. */
export class TraceeGone extends Error {
  override readonly name = 'TraceeGone';
  readonly tid: number;

  constructor(tid: number, how: string) {
    super(`thread ${tid} ${how}`);
    this.tid = tid;
  }
}

/** A tracee did not come to the stop that was asked for in time. */
export class StopTimeout extends Error {
  override readonly name = 'StopTimeout';
}
