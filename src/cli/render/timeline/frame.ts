// One restart, ready to be drawn: its story, the stretch of time that is shown, and the scale.
import type { Timeline } from '../../../front/timeline.ts';
import { scaleFor, type Room, type Scale } from './scale.ts';
import { tell, type Span, type Story } from './story.ts';

export interface Frame {
  readonly timeline: Timeline;
  readonly story: Story;
  readonly span: Span;
  readonly scale: Scale;
}

/** How much of what was before and after is shown, where there are requests to see, ms; without them a part of the whole. */
const aroundMs = 160;
const aroundPart = 0.06;

/** `lengthMs`: pictures that are to be compared show the same length of time; null: as long as this one lasts. */
export function frameFor(timeline: Timeline, room: Room, lengthMs: number | null): Frame {
  const own = spanOf(timeline);
  const span = lengthMs === null ? own : { fromMs: own.fromMs, toMs: own.fromMs + lengthMs };
  const story = tell(timeline, span);
  return { timeline, span, story, scale: scaleFor(span, lengthMs === null ? story.stages : [], room) };
}

export function spanOf({ phases, endMs, requests }: Timeline): Span {
  const beganMs = phases[0]?.atMs ?? 0;
  const marginMs = requests.length > 0 ? aroundMs : Math.max(1, (endMs - beganMs) * aroundPart);
  return { fromMs: beganMs - marginMs, toMs: Math.max(endMs, beganMs + 1) + marginMs };
}
