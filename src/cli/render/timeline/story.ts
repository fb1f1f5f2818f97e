// What happened, as the picture tells it: which program was there from when to when, what was being done, when its threads stood still.
import type { Phase } from '../../../protocol/event.ts';
import type { Timeline } from '../../../front/timeline.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Stage extends Span {
  readonly name: StageName;
}

export type StageName = 'prepare' | 'upload' | 'prove' | 'drain' | 'swap' | 'start' | 'roll back' | 'verify';

/** A program in the process: `starting` until it listens, `finishing` from its signal on. */
export interface ProgramSpan extends Span {
  readonly program: 'old' | 'new' | 'failed' | 'previous';
  readonly doing: 'runs' | 'starting' | 'finishing';
}

/** All threads stood still; the steps are what was done meanwhile. */
export interface Hold extends Span {
  readonly threads: number;
  readonly steps: readonly (Span & { readonly name: string })[];
}

export interface Mark {
  readonly atMs: number;
  readonly text: string;
}

export interface Story {
  readonly stages: readonly Stage[];
  readonly programs: readonly ProgramSpan[];
  readonly holds: readonly Hold[];
  readonly marks: readonly Mark[];
}

const stageOf: Readonly<Record<Phase, StageName>> = {
  observe: 'prepare',
  plan: 'prepare',
  mend: 'prepare',
  upload: 'upload',
  hold: 'prove',
  prove: 'prove',
  drain: 'drain',
  swap: 'swap',
  reset: 'swap',
  release: 'swap',
  probation: 'start',
  rollback: 'roll back',
  verify: 'verify',
};

const stepNames: Readonly<Partial<Record<Phase, string>>> = {
  hold: 'stop',
  drain: 'stop',
  rollback: 'stop',
  prove: 'dry run',
  swap: 'execve',
  reset: 'reset',
  release: 'let go',
};

/** `untilMs`: how far the picture goes; what runs at the end runs on. */
export function tell(timeline: Timeline, { fromMs, toMs }: Span): Story {
  return {
    stages: stagesOf(timeline),
    programs: programsOf(timeline, { fromMs, toMs }),
    holds: holdsOf(timeline),
    marks: marksOf(timeline),
  };
}

function stagesOf({ phases, moments, endMs }: Timeline): readonly Stage[] {
  const caughtMs = moments.find(({ moment }) => moment.what === 'caught')?.atMs ?? Number.POSITIVE_INFINITY;
  const stages: Stage[] = [];
  let pastDrain = false;
  let goingBack = false;
  for (const [index, { phase, atMs }] of phases.entries()) {
    const toMs = phases[index + 1]?.atMs ?? endMs;
    if (phase === 'rollback') goingBack = true;
    const plain = stageOf[phase];
    const name =
      goingBack && (plain === 'prove' || plain === 'swap')
        ? 'roll back'
        : pastDrain && plain === 'prove'
          ? 'swap'
          : plain;
    if (phase === 'drain') {
      pastDrain = true;
      push(stages, { name, fromMs: atMs, toMs: Math.min(toMs, caughtMs) });
      push(stages, { name: 'swap', fromMs: Math.min(toMs, caughtMs), toMs });
    } else {
      push(stages, { name, fromMs: atMs, toMs });
    }
  }
  return stages;
}

function push(stages: Stage[], stage: Stage): void {
  const last = stages.at(-1);
  if (last?.name === stage.name) stages[stages.length - 1] = { ...last, toMs: stage.toMs };
  else if (stage.toMs > stage.fromMs) stages.push(stage);
}

function programsOf(timeline: Timeline, { fromMs, toMs }: Span): readonly ProgramSpan[] {
  const { phases, moments, endMs, result } = timeline;
  const starts = phases.filter(({ phase }) => phase === 'probation').map(({ atMs }) => atMs);
  const caught = moments.filter(({ moment }) => moment.what === 'caught').map(({ atMs }) => atMs);
  const asked = moments.find(({ moment }) => moment.what === 'asked')?.atMs;
  const listening = moments.filter(({ moment }) => moment.what === 'listening').map(({ atMs }) => atMs);
  const swapMs = phases.find(({ phase }) => phase === 'reset')?.atMs;
  const isGone = result.outcome === 'lost' || result.outcome === 'stopped';
  const lastMs = isGone ? endMs : toMs;
  const oldEndMs = asked === undefined ? (swapMs ?? lastMs) : (caught[0] ?? lastMs);
  const spans: ProgramSpan[] = [{ program: 'old', doing: 'runs', fromMs, toMs: asked ?? oldEndMs }];
  if (asked !== undefined) spans.push({ program: 'old', doing: 'finishing', fromMs: asked, toMs: oldEndMs });
  const [startMs, againMs] = starts;
  if (startMs === undefined) return spans;
  const failedMs = phases.find(({ phase }) => phase === 'rollback')?.atMs;
  if (failedMs === undefined) return [...spans, ...upFrom('new', { fromMs: startMs, toMs: lastMs }, listening)];
  spans.push({ program: 'failed', doing: 'runs', fromMs: startMs, toMs: failedMs });
  return againMs === undefined
    ? spans
    : [...spans, ...upFrom('previous', { fromMs: againMs, toMs: lastMs }, listening)];
}

function upFrom(program: 'new' | 'previous', span: Span, listening: readonly number[]): readonly ProgramSpan[] {
  const upMs = listening.find((atMs) => atMs >= span.fromMs);
  if (upMs === undefined) return [{ program, doing: 'runs', ...span }];
  return [
    { program, doing: 'starting', fromMs: span.fromMs, toMs: upMs },
    { program, doing: 'runs', fromMs: upMs, toMs: span.toMs },
  ];
}

function holdsOf({ phases, moments }: Timeline): readonly Hold[] {
  return moments.flatMap(({ atMs, moment }) => {
    if (moment.what !== 'held') return [];
    const fromMs = atMs - moment.ms;
    const steps = phases.flatMap(({ phase, atMs: stepMs }, index) => {
      const span = {
        fromMs: Math.max(fromMs, stepMs),
        toMs: Math.min(atMs, phases[index + 1]?.atMs ?? Number.POSITIVE_INFINITY),
      };
      return span.toMs > span.fromMs ? [{ name: stepNames[phase] ?? phase, ...span }] : [];
    });
    return [{ fromMs, toMs: atMs, threads: moment.threads, steps }];
  });
}

function marksOf({ moments, phases }: Timeline): readonly Mark[] {
  const failedMs = phases.find(({ phase }) => phase === 'rollback')?.atMs ?? Number.POSITIVE_INFINITY;
  // A kept socket is known to listen at once; for others hotexec looks every now and then.
  const wasGiven = moments.some(({ moment }) => moment.what === 'bound');
  const seen = moments.flatMap(({ atMs, moment }): readonly Mark[] => {
    switch (moment.what) {
      case 'asked':
        return [{ atMs, text: moment.signal }];
      case 'caught':
        return [{ atMs, text: moment.end === 'forced' ? 'its time is over' : `${moment.end}, caught` }];
      case 'listening':
        return [{ atMs, text: wasGiven ? 'listens' : 'seen to listen' }];
      case 'bound':
        return [{ atMs, text: 'bind answered' }];
      case 'held':
      case 'sample':
      case 'clock':
        return [];
    }
  });
  const execs = phases
    .filter(({ phase }) => phase === 'reset')
    .map(({ atMs }) => ({ atMs, text: atMs > failedMs ? 'execve, the previous' : 'execve' }));
  return [...seen, ...execs].toSorted((a, b) => a.atMs - b.atMs);
}
