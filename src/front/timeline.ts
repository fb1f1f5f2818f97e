// What happened in a restart, in one clock, as its picture needs it: the engine's events, and the requests that somebody made meanwhile.
import type { HotexecEvent, Moment, Phase } from '../protocol/event.ts';
import type { RestartResult } from '../protocol/result.ts';

export interface Timeline {
  /** The target; or a name for what is shown with it. */
  readonly title: string;
  /** What was asked for; null: the program tells enough. */
  readonly about: string | null;
  readonly result: RestartResult;
  /** Times here and below: ms since the engine started. */
  readonly phases: readonly { readonly phase: Phase; readonly atMs: number }[];
  readonly moments: readonly { readonly atMs: number; readonly moment: Moment }[];
  /** When the engine had answered. */
  readonly endMs: number;
  /** Empty: none were made, or none are known of. */
  readonly requests: readonly TimelineRequest[];
}

export interface TimelineRequest {
  readonly startMs: number;
  readonly endMs: number;
  readonly end: RequestEnd;
  /** Which program answered, counted from 0 in the order in which they first did; null: none. */
  readonly by: number | null;
}

export type TimelineDetails = Partial<Pick<Timeline, 'title' | 'about' | 'requests'>>;

/** `reset`: the connection was there and ended without an answer. `late`: nothing had come when the client gave up. */
export type RequestEnd = 'answered' | 'refused' | 'reset' | 'late';

export interface TimelineRecorder {
  readonly onEvent: (event: HotexecEvent) => void;
  /** The requests have the time of day, ms since 1970. */
  readonly finish: (result: RestartResult, more?: TimelineDetails) => Timeline;
}

export function recordTimeline(): TimelineRecorder {
  const phases: Timeline['phases'][number][] = [];
  const moments: Timeline['moments'][number][] = [];
  let originMs: number | null = null;
  return {
    onEvent: (event) => {
      if (event.kind === 'phase') phases.push(event);
      if (event.kind !== 'timeline') return;
      if (event.moment.what === 'clock') originMs = event.moment.unixMs;
      else moments.push(event);
    },
    finish: (result, { title = result.target, about = null, requests = [] } = {}) => {
      const lastMs = Math.max(0, ...[...phases, ...moments].map(({ atMs }) => atMs));
      const beganMs = phases[0]?.atMs ?? 0;
      return {
        title,
        about,
        result,
        phases,
        moments,
        endMs: Math.max(lastMs, beganMs + result.timingsMs.total),
        requests: originMs === null ? [] : requests.map((request) => since(request, originMs ?? 0)),
      };
    },
  };
}

function since(request: TimelineRequest, originMs: number): TimelineRequest {
  return { ...request, startMs: request.startMs - originMs, endMs: request.endMs - originMs };
}
