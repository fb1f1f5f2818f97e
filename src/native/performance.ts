// What the engine's bundle takes for the global `performance` (scripts/build.ts): the first use of Node's own loads node:perf_hooks, 2 ms of
// an engine's start (measured, Node 24). The same clock, CLOCK_MONOTONIC.

const [startSeconds, startNs] = process.hrtime();

export const performance = {
  /** Milliseconds since this module was loaded. */
  now(): number {
    const [seconds, ns] = process.hrtime();
    return (seconds - startSeconds) * 1e3 + (ns - startNs) / 1e6;
  },
  /** Where now() has its zero, in milliseconds of Unix time; by Node's own. */
  get timeOrigin(): number {
    return globalThis.performance.timeOrigin + globalThis.performance.now() - performance.now();
  },
};
