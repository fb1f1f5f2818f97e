// What is said between a client of the agent and the agent, over one stream of bytes: frames.ts has how it is packed, src/agent/messages.ts
// checks it at either end. An operation lives in the agent and not in the connection: a cut connection leaves it going.
import type { ErrorData } from '../errors.ts';
import type { EngineAnswer, HotexecEvent } from './event.ts';
import type { HookEnd } from './hook.ts';
import type { GdbScriptOptions, ProgramChange, ProgramSpec, RestartOptions } from './request.ts';

/** Changes when one end would not understand the other any more. */
export const agentProtocol = 2;

/** A container of a pod, as its client knows it; the agent finds the process and proves that it is that one. */
export interface AgentTarget {
  /** As the user wrote it: `pod/web-0`. For messages only. */
  readonly name: string;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** id: 64 hexadecimal digits, without `containerd://`. */
  readonly container: { readonly name: string; readonly id: string; readonly runtime: string };
  /** ISO 8601, of the container's status; null: not known. */
  readonly startedAt: string | null;
  /** The program, and how it is stopped, as far as the pod's spec tells; what it does not tell is null. */
  readonly spec: ProgramSpec | null;
}

/** Sources of files in a ProgramChange are paths of the client, each with an entry in `uploads` of the request. */
export type AgentAsked =
  | { readonly kind: 'restart'; readonly program: ProgramChange; readonly options: RestartOptions }
  | {
      readonly kind: 'plan';
      readonly program: ProgramChange;
      readonly options: RestartOptions;
      readonly gdbScript: GdbScriptOptions | null;
    }
  | { readonly kind: 'inspect'; readonly showEnvironment: boolean }
  | { readonly kind: 'history' };

/** A file, or a directory with all that is in it, that was offered before. */
export type UploadEntry =
  | { readonly kind: 'file'; readonly name: string; readonly mode: number; readonly digest: string }
  | { readonly kind: 'link'; readonly name: string; readonly target: string }
  | {
      readonly kind: 'directory';
      readonly name: string;
      readonly mode: number;
      readonly entries: readonly UploadEntry[];
    };

export interface Upload {
  /** The source in the request that it stands for. */
  readonly source: string;
  readonly entry: UploadEntry;
}

/** Digests are SHA-256 in hexadecimal. What is offered belongs to one operation, and goes with it. */
export type ClientMessage =
  /** First of all, from both ends. */
  | { readonly kind: 'hello'; readonly protocol: number; readonly version: string }
  /** Is somebody there? Answered by `pong`. */
  | { readonly kind: 'ping' }
  /** Contents that the request will need; each is answered by `want` or `have`. All can be offered at once. */
  | {
      readonly kind: 'offer';
      readonly operationId: string;
      readonly files: readonly { readonly digest: string; readonly sizeBytes: number }[];
    }
  /** The byte frames that follow are of this file, from this offset on, up to `file-end`; then the agent says `have`, or `want` once more. */
  | { readonly kind: 'file'; readonly operationId: string; readonly digest: string; readonly offset: number }
  | { readonly kind: 'file-end' }
  /** Answered by events and one answer; the same id a second time is an `attach`. */
  | {
      readonly kind: 'request';
      readonly operationId: string;
      readonly target: AgentTarget;
      readonly asked: AgentAsked;
      readonly uploads: readonly Upload[];
    }
  | { readonly kind: 'cancel'; readonly operationId: string }
  /** Of a hook that an event said is due, and that the client has run: a command in the container. The same a second time does nothing. */
  | { readonly kind: 'hook-ended'; readonly operationId: string; readonly number: number; readonly end: HookEnd }
  /** Events with a greater number than `after`, and the answer; or `unknown-operation`. */
  | { readonly kind: 'attach'; readonly operationId: string; readonly after: number };

export type AgentMessage =
  /** instance: another one each time an agent starts; what one knows, the next does not. */
  | { readonly kind: 'hello'; readonly protocol: number; readonly version: string; readonly instance: string }
  | { readonly kind: 'pong' }
  | { readonly kind: 'want'; readonly operationId: string; readonly digest: string; readonly offset: number }
  | { readonly kind: 'have'; readonly operationId: string; readonly digest: string }
  /** So much of the file that is being sent has been written. */
  | { readonly kind: 'got'; readonly operationId: string; readonly digest: string; readonly offset: number }
  /** number: counts up from 1 in each operation. */
  | {
      readonly kind: 'event';
      readonly operationId: string;
      readonly number: number;
      readonly event: HotexecEvent;
    }
  | { readonly kind: 'answer'; readonly operationId: string; readonly answer: AgentAnswer }
  /** The agent does not know it: it was never asked for, or so long ago that its result was forgotten. */
  | { readonly kind: 'unknown-operation'; readonly operationId: string }
  /** The client has said something that makes no sense; the connection ends. */
  | { readonly kind: 'refused'; readonly error: ErrorData };

export type AgentAnswer = Exclude<EngineAnswer, { readonly kind: 'mend-result' }>;
