// hotexec demo [--timeline FILE]
import { runDemo } from '../demo/demo.ts';
import type { CliContext } from './context.ts';
import { openPicture } from './timeline-file.ts';

export interface DemoFlags {
  readonly timeline?: string | undefined;
}

export async function demoCommand({ timeline }: DemoFlags, context: CliContext): Promise<number> {
  const { stdout, signal, host } = context;
  const file = timeline === undefined ? null : await openPicture(timeline, context);
  const picture = file === null ? null : { path: file.path, write: file.write };
  return runDemo({ stdout, colours: stdout.colours, signal, host, picture });
}
