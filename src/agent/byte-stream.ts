// A way to the agent and back, whatever carries it: an exec of the relay in Kubernetes or Docker, or the agent's socket itself.
import type { Readable, Writable } from 'node:stream';

export interface ByteStream {
  readonly readable: Readable;
  readonly writable: Writable;
  /** Ends it at once. What is on its way may be lost. */
  close(): void;
}

/** Rejects with a HotexecError where there is no point in another try: not permitted, no agent, no such pod. */
export type OpenByteStream = (signal: AbortSignal) => Promise<ByteStream>;
