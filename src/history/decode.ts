// The record as it stands in its file. It outlives the hotexec that wrote it, so another version may have been there: all is checked.
import * as v from 'valibot';
import type { ContainerIdentity } from '../protocol/request.ts';
import type { Entry, FileChange, RecordedProgram, Run } from './entry.ts';

export const recordVersion = 1;

export interface RecordDocument {
  readonly version: typeof recordVersion;
  /** Null: a process in no container. */
  readonly container: ContainerIdentity | null;
  /** Oldest first. */
  readonly entries: readonly Entry[];
}

type Schema<Output> = v.GenericSchema<unknown, Output>;

const textOrNull: Schema<string | null> = v.nullable(v.string());
const number = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const base64 = v.pipe(v.string(), v.regex(/^[\w+/]*={0,2}$/));
const inside = v.pipe(v.string(), v.startsWith('/'));

const program: Schema<RecordedProgram> = v.variant('kind', [
  v.object({
    kind: v.literal('known'),
    path: v.pipe(base64, v.nonEmpty()),
    argv: v.array(base64),
    environment: v.array(base64),
    cwd: textOrNull,
  }),
  v.object({ kind: v.literal('unknown'), exe: v.string(), cwd: v.string(), why: v.string() }),
]);

const run: Schema<Run> = v.object({
  pid: number,
  startTicks: number,
  bootId: v.string(),
  startStack: v.string(),
});

const file: Schema<FileChange> = v.object({
  path: v.string(),
  change: v.picklist(['created', 'replaced', 'removed', 'in-memory']),
  digest: textOrNull,
  before: v.nullable(
    v.object({
      keptAs: inside,
      mode: number,
      uid: number,
      gid: number,
      sizeBytes: number,
      capability: v.nullable(base64),
    }),
  ),
});

const entry: Schema<Entry> = v.object({
  number: v.pipe(number, v.minValue(1)),
  startedAt: textOrNull,
  recordedAt: v.string(),
  by: textOrNull,
  operationId: textOrNull,
  backTo: v.nullable(number),
  program,
  files: v.array(file),
  filesComplete: v.boolean(),
  state: v.picklist(['starting', 'running', 'replaced', 'failed', 'ended']),
  end: v.nullable(
    v.object({
      exitCode: v.nullable(v.number()),
      signal: textOrNull,
      reason: v.picklist(['exit', 'signal', 'probe-timeout', 'post-start-hook']),
      afterMs: v.number(),
    }),
  ),
  run: v.nullable(run),
});

const document: Schema<RecordDocument> = v.object({
  version: v.literal(recordVersion),
  container: v.nullable(v.object({ id: v.string(), name: textOrNull, runtime: v.string() })),
  entries: v.pipe(
    v.array(entry),
    v.check(
      (entries) => entries.every(({ number: own }, index) => own > (entries[index - 1]?.number ?? 0)),
      'not in order',
    ),
  ),
});

const anyVersion = v.object({ version: v.number() });

/** Throws a plain Error that says, as a clause, what is wrong with it. */
export function decodeRecord(text: string): RecordDocument {
  const json = parseJson(text);
  const header = v.safeParse(anyVersion, json);
  if (header.success && header.output.version > recordVersion) throw new Error('a newer hotexec wrote it');
  const parsed = v.safeParse(document, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(`it is not what hotexec writes (${v.getDotPath(issue) ?? 'document'})`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('it is incomplete, or no JSON', { cause: error });
  }
}
