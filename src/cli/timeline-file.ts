// --timeline FILE: the picture of what happened. Whether it can be written is found out before anything is touched.
import { constants } from 'node:fs';
import { access, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { recordTimeline, type Timeline } from '../front/timeline.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import type { RestartResult } from '../protocol/result.ts';
import type { CliContext } from './context.ts';
import { escapeText } from './render/escape.ts';
import { styleFor } from './render/style.ts';
import { usageError } from './usage.ts';

export const timelineOption: Option<'--timeline <FILE>'> = new Option(
  '--timeline <FILE>',
  'draw what happened into FILE, an SVG picture: phases, programs, threads, the queue of waiting connections',
);

export interface TimelineFlags {
  readonly timeline?: string | undefined;
}

export interface PictureFile {
  /** Absolute. */
  readonly path: string;
  readonly write: (timelines: readonly Timeline[]) => Promise<void>;
}

/** A usage error when FILE cannot be written. A file that is there is replaced. */
export async function openPicture(file: string, { cwd }: Pick<CliContext, 'cwd'>): Promise<PictureFile> {
  const path = resolve(cwd, file);
  const named = `--timeline ${JSON.stringify(file)}`;
  if (file === '') throw usageError('--timeline wants the name of a file.');
  const stats = await stat(path).catch(() => null);
  if (stats?.isDirectory() === true) throw usageError(`${named} is a directory.`, 'name a file, such as restart.svg');
  try {
    if (stats === null) await access(`${dirname(path)}/.`, constants.W_OK | constants.X_OK);
    else await access(path, constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw usageError(`${named} cannot be written: ${reasons[code] ?? code}. Nothing was touched.`);
  }
  return { path, write: async (timelines) => draw(path, timelines) };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory here',
  ENOTDIR: 'there is no such directory here',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
};

async function draw(path: string, timelines: readonly Timeline[]): Promise<void> {
  const { drawTimelines } = await import('./render/timeline/draw.ts');
  await writeFile(path, drawTimelines(timelines));
}

export interface TimelineDrawing {
  readonly onEvent: (event: HotexecEvent) => void;
  /** The restart is over: a picture that fails now is a warning, and changes nothing about it. */
  readonly finish: (result: RestartResult) => Promise<void>;
}

/** Nothing is drawn without the flag. */
export async function openTimeline({ timeline }: TimelineFlags, context: CliContext): Promise<TimelineDrawing> {
  if (timeline === undefined) return { onEvent: () => {}, finish: async () => {} };
  const file = await openPicture(timeline, context);
  const { onEvent, finish } = recordTimeline();
  return {
    onEvent,
    finish: async (result) => {
      try {
        await file.write([finish(result)]);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const warning = styleFor(context.stderr).yellow('warning:');
        context.stderr.write(`${warning} the picture was not written: ${escapeText(why)}\n`);
      }
    },
  };
}

/** A plan has nothing to draw. */
export function refuseTimeline({ timeline }: TimelineFlags): void {
  if (timeline === undefined) return;
  throw usageError('--timeline draws what has happened, and a plan changes nothing.', 'plan -o json has every step.');
}
