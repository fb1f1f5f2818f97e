// What an engine may write, checked at the edge. The schemas are held to the types of protocol/ by the compiler: a field
// that is added there and not here does not compile.
import * as v from 'valibot';
import { exitCodes, type ErrorCode, type ErrorData } from '../errors.ts';
import { phases, type EngineAnswer, type HotexecEvent, type MendResult, type Moment } from '../protocol/event.ts';
import type { History } from '../protocol/history.ts';
import type { Drift, Inspection } from '../protocol/inspection.ts';
import type { Plan, PlannedDrain, PlannedListener } from '../protocol/plan.ts';
import type { ContainerIdentity } from '../protocol/request.ts';
import type { NotFresh, ProgramEnd, ProgramSummary, RestartResult } from '../protocol/result.ts';
import { dueHook, hookEnded, hookResult, plannedHooks } from './hook-line.ts';

export type ParsedLine =
  | { readonly kind: 'event'; readonly event: HotexecEvent }
  | { readonly kind: 'answer'; readonly answer: EngineAnswer };

/** Parses one line of an engine's output. Throws a plain Error: an engine that talks nonsense is a bug. */
export function parseEngineLine(text: string): ParsedLine {
  const parsed = v.safeParse(lineSchema, parseJson(text));
  if (parsed.success) return parsed.output;
  const issues = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? ''}: ${issue.message}`).slice(0, 3);
  throw new Error(`the engine wrote what this hotexec does not know (${issues.join('; ')}): ${text.slice(0, 200)}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the engine wrote a line that is no JSON: ${text.slice(0, 200)}`, { cause: error });
  }
}

export type Schema<Output> = v.GenericSchema<unknown, Output>;

const strings: Schema<readonly string[]> = v.array(v.string());
const numbers: Schema<readonly number[]> = v.array(v.number());
const textOrNull: Schema<string | null> = v.nullable(v.string());

const errorCode: Schema<ErrorCode> = v.custom<ErrorCode>(
  (code) => typeof code === 'string' && Object.hasOwn(exitCodes, code),
);

export const errorData: Schema<ErrorData> = v.object({
  code: errorCode,
  message: v.string(),
  hint: textOrNull,
  details: v.exactOptional(v.record(v.string(), v.nullable(v.union([v.string(), v.number(), v.boolean()])))),
});

const container: Schema<ContainerIdentity> = v.object({ id: v.string(), name: textOrNull, runtime: v.string() });
const programEntries = { exe: v.string(), argv: strings, cwd: v.string() };
const program: Schema<ProgramSummary> = v.object(programEntries);
const notFresh: Schema<readonly NotFresh[]> = v.array(v.object({ attribute: v.string(), message: v.string() }));

const programEnd: Schema<ProgramEnd> = v.object({
  exitCode: v.nullable(v.number()),
  signal: textOrNull,
  reason: v.picklist(['exit', 'signal', 'probe-timeout', 'post-start-hook']),
  afterMs: v.number(),
});

// In the order in which they are printed.
const apiVersion = v.literal('hotexec/v1');
const operationId = v.string();
const subject = {
  target: v.string(),
  pid: v.number(),
  startTicks: v.number(),
  container: v.nullable(container),
} as const;

const restartResult: Schema<RestartResult> = v.object({
  apiVersion,
  kind: v.literal('Restart'),
  operationId,
  outcome: v.picklist(['restarted', 'unchanged', 'rolled-back', 'stopped', 'lost']),
  ...subject,
  before: program,
  after: v.nullable(program),
  listeners: v.array(v.object({ protocol: v.string(), address: v.string(), handedOver: v.boolean(), why: textOrNull })),
  drain: v.object({
    signal: textOrNull,
    end: v.picklist(['exited', 'forced', 'skipped']),
    why: textOrNull,
    exitCode: v.nullable(v.number()),
    endedBy: textOrNull,
    ms: v.number(),
  }),
  hooks: v.array(hookResult),
  children: v.object({ killed: v.number() }),
  files: v.array(
    v.object({
      path: v.string(),
      change: v.picklist(['created', 'replaced', 'removed', 'in-memory']),
      digest: textOrNull,
      sizeBytes: v.number(),
      keptAs: textOrNull,
    }),
  ),
  probation: v.object({
    end: v.picklist(['none', 'listening', 'answered', 'time', 'ended', 'failed', 'cut-short']),
    ms: v.number(),
  }),
  failed: v.nullable(programEnd),
  notFresh,
  warnings: strings,
  timingsMs: v.objectWithRest({ hold: v.number(), total: v.number() }, v.number()),
  error: v.nullable(errorData),
});

const plannedDrain: Schema<PlannedDrain> = v.object({
  signal: textOrNull,
  gracePeriodMs: v.nullable(v.number()),
  why: textOrNull,
});

const plannedListeners: Schema<readonly PlannedListener[]> = v.array(
  v.object({ protocol: v.string(), address: v.string(), handOver: v.boolean(), why: textOrNull }),
);

const plan: Schema<Plan> = v.object({
  apiVersion,
  kind: v.literal('Plan'),
  operationId,
  ...subject,
  possible: v.boolean(),
  refusals: v.array(errorData),
  warnings: strings,
  before: program,
  after: v.nullable(v.object({ ...programEntries, environmentNames: strings })),
  files: v.array(
    v.object({
      path: v.string(),
      change: v.picklist(['created', 'replaced', 'removed', 'in-memory']),
      sizeBytes: v.number(),
      from: v.string(),
    }),
  ),
  drain: plannedDrain,
  hooks: plannedHooks,
  listeners: plannedListeners,
  steps: v.array(
    v.object({
      title: v.string(),
      calls: v.array(
        v.object({ by: v.picklist(['hotexec', 'gdb', 'target', 'child']), call: v.string(), when: textOrNull }),
      ),
    }),
  ),
  notFresh,
  gdbScript: textOrNull,
});

const drift: Schema<Drift> = v.variant('kind', [
  v.object({ kind: v.literal('arguments'), running: strings, spec: strings }),
  v.object({ kind: v.literal('environment'), added: strings, removed: strings, changed: strings }),
  v.object({ kind: v.literal('directory'), running: v.string(), spec: v.string() }),
  v.object({
    kind: v.literal('executable'),
    state: v.picklist(['replaced', 'deleted', 'in-memory', 'other']),
    path: v.string(),
  }),
]);

const inspection: Schema<Inspection> = v.object({
  apiVersion,
  kind: v.literal('Inspection'),
  operationId,
  ...subject,
  program: v.object({
    exe: v.string(),
    exeReplaced: v.boolean(),
    execPath: textOrNull,
    argv: strings,
    argvIntact: v.boolean(),
    environmentNames: strings,
    environment: v.nullable(strings),
    environmentIntact: v.boolean(),
    cwd: v.string(),
    root: v.string(),
    spec: v.nullable(v.object({ argv: v.nullable(strings), cwd: textOrNull })),
  }),
  drift: v.array(drift),
  memory: v.object({
    argStart: v.string(),
    argEnd: v.string(),
    envStart: v.string(),
    envEnd: v.string(),
    stackStart: v.string(),
    residentBytes: v.number(),
    headroomBytes: v.nullable(v.number()),
  }),
  descriptors: v.array(
    v.object({
      fd: v.number(),
      target: v.string(),
      closeOnExec: v.boolean(),
      nonBlocking: v.boolean(),
      socket: v.nullable(v.object({ protocol: v.string(), local: v.string(), remote: textOrNull, state: v.string() })),
    }),
  ),
  threads: v.array(v.object({ tid: v.number(), name: v.string(), state: v.string(), syscall: textOrNull })),
  children: v.array(v.object({ pid: v.number(), comm: v.string(), state: v.string(), spared: v.boolean() })),
  credentials: v.object({
    uid: numbers,
    gid: numbers,
    groups: numbers,
    capabilities: v.object({
      inheritable: v.string(),
      permitted: v.string(),
      effective: v.string(),
      bounding: v.string(),
      ambient: v.string(),
    }),
    noNewPrivileges: v.boolean(),
  }),
  seccomp: v.object({ mode: v.picklist(['disabled', 'strict', 'filter']), filters: v.nullable(v.number()) }),
  signals: v.object({ ignored: strings, caught: strings, blocked: strings, pending: strings }),
  limits: v.record(v.string(), v.object({ soft: v.string(), hard: v.string() })),
  namespaces: v.record(v.string(), v.string()),
  verdict: v.object({
    possible: v.boolean(),
    refusals: v.array(errorData),
    notFresh,
    warnings: strings,
    drain: plannedDrain,
    listeners: plannedListeners,
  }),
});

const history: Schema<History> = v.object({
  apiVersion,
  kind: v.literal('History'),
  operationId,
  ...subject,
  versions: v.array(
    v.object({
      number: v.number(),
      startedAt: textOrNull,
      recordedAt: v.string(),
      by: textOrNull,
      operationId: textOrNull,
      backTo: v.nullable(v.number()),
      program,
      files: v.array(v.object({ path: v.string(), digest: textOrNull })),
      state: v.picklist(['running', 'replaced', 'failed', 'ended']),
      end: v.nullable(programEnd),
      available: v.union([v.literal(true), v.string()]),
    }),
  ),
});

const mendResult: Schema<MendResult> = v.object({
  found: v.picklist(['nothing', 'old', 'new', 'previous', 'gone']),
  detail: v.string(),
});

const moment: Schema<Moment> = v.variant('what', [
  v.object({ what: v.literal('clock'), unixMs: v.number() }),
  v.object({ what: v.literal('held'), threads: v.number(), ms: v.number() }),
  v.object({ what: v.literal('sample'), threads: v.number(), waiting: v.nullable(v.number()) }),
  v.object({ what: v.literal('asked'), signal: v.string() }),
  v.object({ what: v.literal('caught'), end: v.string() }),
  v.object({ what: v.literal('bound'), address: v.string() }),
  v.object({ what: v.literal('listening') }),
]);

const ownEvent = v.variant('kind', [
  v.object({ kind: v.literal('phase'), phase: v.picklist(phases), atMs: v.number() }),
  v.object({
    kind: v.literal('planned'),
    operationId: v.string(),
    before: program,
    after: program,
    pid: v.number(),
    startTicks: v.number(),
  }),
  v.object({
    kind: v.literal('remote-call'),
    tid: v.number(),
    call: v.string(),
    args: v.string(),
    result: v.string(),
    durationUs: v.number(),
  }),
  v.object({ kind: v.literal('upload'), path: v.string(), doneBytes: v.number(), totalBytes: v.number() }),
  v.object({ kind: v.literal('failed'), end: programEnd }),
  v.object({ kind: v.literal('warning'), message: v.string() }),
  v.object({ kind: v.literal('timeline'), atMs: v.number(), moment }),
]);

export const eventSchema: Schema<HotexecEvent> = v.union([ownEvent, dueHook, hookEnded]);

export const answerSchema: Schema<EngineAnswer> = v.variant('kind', [
  v.object({ kind: v.literal('restart-result'), result: restartResult }),
  v.object({ kind: v.literal('inspect-result'), result: inspection }),
  v.object({ kind: v.literal('plan-result'), result: plan }),
  v.object({ kind: v.literal('history-result'), result: history }),
  v.object({ kind: v.literal('mend-result'), result: mendResult }),
  v.object({ kind: v.literal('failure'), error: errorData }),
]);

const answerKinds: ReadonlySet<unknown> = new Set<EngineAnswer['kind']>([
  'restart-result',
  'inspect-result',
  'plan-result',
  'history-result',
  'mend-result',
  'failure',
]);

const lineSchema: Schema<ParsedLine> = v.lazy((line) =>
  isAnswer(line)
    ? v.pipe(
        answerSchema,
        v.transform((answer): ParsedLine => ({ kind: 'answer', answer })),
      )
    : v.pipe(
        eventSchema,
        v.transform((event): ParsedLine => ({ kind: 'event', event })),
      ),
);

function isAnswer(line: unknown): boolean {
  return typeof line === 'object' && line !== null && 'kind' in line && answerKinds.has(line.kind);
}
