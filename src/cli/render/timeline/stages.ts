// The lane of what hotexec did: a segment each, its name and length where there is room, above it where there is not.
import { formatMs } from '../table.ts';
import type { Frame } from './frame.ts';
import { widest, type Scale } from './scale.ts';
import type { Stage, StageName } from './story.ts';
import { el, rect, widthOf, words, type Area, type Svg } from './svg.ts';

const fills: Readonly<Record<StageName, string>> = {
  prepare: 'grey',
  upload: 'grey',
  prove: 'cyan',
  drain: 'old',
  swap: 'held',
  start: 'new',
  'roll back': 'failed',
  verify: 'grey',
};

export function drawStages({ story, scale }: Frame, area: Area): Svg {
  return story.stages.map((stage) => drawStage(stage, scale, area)).join('');
}

function drawStage(stage: Stage, scale: Scale, area: Area): Svg {
  const from = scale.x(stage.fromMs);
  const width = Math.max(1.5, scale.x(stage.toMs) - from - 1);
  const room = widest(scale, stage);
  const long = `${stage.name} ${formatMs(stage.toMs - stage.fromMs)}`;
  const label = [long, stage.name].find((text) => widthOf(text, 12) < room.width - 6);
  const segment = rect({ ...area, x: from, width }, { rx: Math.min(3, width / 2), class: `f-${fills[stage.name]}` });
  const title = el('title', {}, long);
  const named =
    label === undefined
      ? ''
      : words(room.x + room.width / 2, area.y + area.height / 2 + 4, { text: label, class: 'middle on strong' });
  return el('g', {}, title, segment, named);
}
