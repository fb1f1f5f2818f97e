// hotexec demo [--timeline FILE]
import { runDemo } from '../demo/demo.ts';
import type { CliContext } from './context.ts';
import { openPicture, type TimelineFlags } from './timeline-file.ts';

export async function demoCommand({ timeline }: TimelineFlags, context: CliContext): Promise<number> {
  const { stdout, signal, host } = context;
  const picture = timeline === undefined ? null : await openPicture(timeline, context);
  return runDemo({ stdout, colours: stdout.colours, signal, host, picture });
}
