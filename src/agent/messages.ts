// What either end may say, checked where it arrives. The schemas are held to the types of protocol/ by the compiler, as in front/engine-line.ts.
import * as v from 'valibot';
import { answerSchema, errorData, eventSchema, type Schema } from '../front/engine-line.ts';
import { hookEnd } from '../front/hook-line.ts';
import { operationIdPattern } from '../front/operation-id.ts';
import type {
  AgentAnswer,
  AgentAsked,
  AgentMessage,
  AgentTarget,
  ClientMessage,
  Upload,
  UploadEntry,
} from '../protocol/agent.ts';
import type { HookAction } from '../protocol/hook.ts';
import { FrameError } from '../protocol/frames.ts';
import type { ProgramChange, ProgramSpec, RestartOptions } from '../protocol/request.ts';

/** Throws FrameError: who talks nonsense cannot be talked to. */
export function parseClientMessage(text: string): ClientMessage {
  return parse(clientMessage, text);
}

/** Throws FrameError. */
export function parseAgentMessage(text: string): AgentMessage {
  return parse(agentMessage, text);
}

/** The message is not repeated: it may hold secrets. */
function parse<Message>(schema: Schema<Message>, text: string): Message {
  const parsed = v.safeParse(schema, parseJson(text));
  if (parsed.success) return parsed.output;
  const issues = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'it'}: ${issue.expected ?? issue.type}`);
  throw new FrameError(`a message of another hotexec came (${issues.slice(0, 3).join('; ')})`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError('a message came that is no JSON');
  }
}

const strings: Schema<readonly string[]> = v.array(v.string());
const textOrNull: Schema<string | null> = v.nullable(v.string());
const stringsOrNull: Schema<readonly string[] | null> = v.nullable(strings);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const countOrNull = v.nullable(count);
const sizeBytes = count;

/** It becomes the name of a directory. */
const operationId = v.pipe(v.string(), v.regex(operationIdPattern));
const digest = v.pipe(v.string(), v.regex(/^[\da-f]{64}$/));
const version = v.pipe(v.string(), v.maxLength(100));
const protocol = v.number();

const spec: Schema<ProgramSpec> = v.object({
  source: v.picklist(['bundle', 'api']),
  args: stringsOrNull,
  env: stringsOrNull,
  cwd: textOrNull,
  user: v.nullable(v.object({ uid: count, gid: count, additionalGids: v.array(count), umask: countOrNull })),
  terminal: v.nullable(v.boolean()),
  noNewPrivileges: v.nullable(v.boolean()),
  oomScoreAdj: v.nullable(v.number()),
  capabilities: v.nullable(
    v.object({ bounding: strings, effective: strings, permitted: strings, inheritable: strings, ambient: strings }),
  ),
  rlimits: v.nullable(v.array(v.object({ type: v.string(), soft: v.number(), hard: v.number() }))),
  seccomp: v.nullable(v.boolean()),
  personality: textOrNull,
  stopSignal: textOrNull,
  stopTimeoutSeconds: v.nullable(v.number()),
});

const target: Schema<AgentTarget> = v.object({
  name: v.string(),
  pod: v.object({ namespace: v.string(), name: v.string(), uid: v.string() }),
  container: v.object({
    name: v.string(),
    id: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)),
    runtime: v.string(),
  }),
  startedAt: textOrNull,
  spec: v.nullable(spec),
});

const program: Schema<ProgramChange> = v.object({
  from: v.picklist(['auto', 'process', 'spec']),
  version: v.nullable(v.union([v.literal('previous'), v.number()])),
  command: stringsOrNull,
  exe: textOrNull,
  cwd: textOrNull,
  args: stringsOrNull,
  replacement: v.nullable(v.object({ source: v.string(), inMemory: v.picklist(['auto', 'always', 'never']) })),
  files: v.array(
    v.object({
      source: v.string(),
      destination: v.string(),
      owner: v.nullable(v.object({ uid: count, gid: count })),
      allowVolume: v.boolean(),
    }),
  ),
  env: v.object({ standsAlone: v.boolean(), set: v.array(v.tuple([v.string(), v.string()])), unset: strings }),
});

const hookAction: Schema<HookAction | null> = v.nullable(
  v.variant('kind', [
    v.object({ kind: v.literal('exec') }),
    v.object({
      kind: v.literal('httpGet'),
      scheme: v.picklist(['http', 'https']),
      host: v.string(),
      port: count,
      path: v.string(),
      headers: v.array(v.tuple([v.string(), v.string()])),
    }),
    v.object({ kind: v.literal('sleep'), ms: count }),
  ]),
);

const options: Schema<RestartOptions> = v.object({
  keepFds: v.array(count),
  children: v.picklist(['kill', 'keep']),
  force: v.boolean(),
  timeoutMs: v.number(),
  verbose: v.boolean(),
  timeline: v.boolean(),
  probationMs: v.nullable(v.number()),
  probationLimitMs: v.exactOptional(v.number()),
  mayFinish: v.exactOptional(v.boolean()),
  probe: v.nullable(
    v.variant('kind', [
      v.object({
        kind: v.literal('http'),
        host: v.string(),
        port: count,
        path: v.string(),
        headers: v.exactOptional(v.array(v.tuple([v.string(), v.string()]))),
        timeoutMs: v.exactOptional(v.number()),
      }),
      v.object({ kind: v.literal('tcp'), host: v.string(), port: count, timeoutMs: v.exactOptional(v.number()) }),
    ]),
  ),
  rollback: v.boolean(),
  drain: v.boolean(),
  gracePeriodMs: v.nullable(v.number()),
  signal: textOrNull,
  handover: v.boolean(),
  runHooks: v.boolean(),
  hooks: v.exactOptional(v.object({ preStop: hookAction, postStart: hookAction })),
  driver: v.picklist(['ptrace', 'gdb']),
  gdbCall: v.picklist(['syscall', 'libc']),
});

const gdbScript = v.nullable(v.object({ showEnvironment: v.boolean() }));

const asked: Schema<AgentAsked> = v.variant('kind', [
  v.object({ kind: v.literal('restart'), program, options }),
  v.object({ kind: v.literal('plan'), program, options, gdbScript }),
  v.object({ kind: v.literal('inspect'), showEnvironment: v.boolean() }),
  v.object({ kind: v.literal('history') }),
]);

/** It is made as a file of this name: it must not lead anywhere else. */
const entryName = v.pipe(
  v.string(),
  v.check((name) => name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)),
);
const mode = v.pipe(count, v.maxValue(0o7777));

const uploadEntry: Schema<UploadEntry> = v.variant('kind', [
  v.object({ kind: v.literal('file'), name: entryName, mode, digest }),
  v.object({ kind: v.literal('link'), name: entryName, target: v.string() }),
  v.object({
    kind: v.literal('directory'),
    name: entryName,
    mode,
    entries: v.lazy(() => v.array(uploadEntry)),
  }),
]);

const uploads: Schema<readonly Upload[]> = v.array(v.object({ source: v.string(), entry: uploadEntry }));

const clientMessage: Schema<ClientMessage> = v.variant('kind', [
  v.object({ kind: v.literal('hello'), protocol, version }),
  v.object({ kind: v.literal('ping') }),
  v.object({ kind: v.literal('offer'), operationId, files: v.array(v.object({ digest, sizeBytes })) }),
  v.object({ kind: v.literal('file'), operationId, digest, offset: sizeBytes }),
  v.object({ kind: v.literal('file-end') }),
  v.object({ kind: v.literal('request'), operationId, target, asked, uploads }),
  v.object({ kind: v.literal('cancel'), operationId }),
  v.object({ kind: v.literal('hook-ended'), operationId, number: count, end: hookEnd }),
  v.object({ kind: v.literal('attach'), operationId, after: count }),
]);

const answer: Schema<AgentAnswer> = v.pipe(
  answerSchema,
  v.rawTransform(({ dataset, addIssue, NEVER }): AgentAnswer => {
    if (dataset.value.kind !== 'mend-result') return dataset.value;
    addIssue({ message: 'the answer of a mender' });
    return NEVER;
  }),
);

const agentMessage: Schema<AgentMessage> = v.variant('kind', [
  v.object({ kind: v.literal('hello'), protocol, version, instance: v.string() }),
  v.object({ kind: v.literal('pong') }),
  v.object({ kind: v.literal('want'), operationId, digest, offset: sizeBytes }),
  v.object({ kind: v.literal('have'), operationId, digest }),
  v.object({ kind: v.literal('got'), operationId, digest, offset: sizeBytes }),
  v.object({ kind: v.literal('event'), operationId, number: count, event: eventSchema }),
  v.object({ kind: v.literal('answer'), operationId, answer }),
  v.object({ kind: v.literal('unknown-operation'), operationId }),
  v.object({ kind: v.literal('refused'), error: errorData }),
]);
