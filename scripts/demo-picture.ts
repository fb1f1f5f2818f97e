// node scripts/demo-picture.ts: runs the real demo. What it prints is drawn as a terminal window into docs/demo.svg, and what happened in its
// three restarts into docs/timeline.svg.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawTimelines } from '../src/cli/render/timeline/draw.ts';
import { runDemo } from '../src/demo/demo.ts';
import { drawTerminal } from './terminal-svg.ts';

const docs = join(import.meta.dirname, '../docs');
const title = 'hotexec demo: three restarts of one process, under load';

const chunks: string[] = ['\u{1b}[32m$\u{1b}[39m hotexec demo --timeline demo.svg\n\n'];
mkdirSync(docs, { recursive: true });
const status = await runDemo({
  stdout: { write: (text) => chunks.push(text) },
  colours: true,
  signal: AbortSignal.timeout(60_000),
  host: {
    execPath: process.execPath,
    uid: process.getuid?.() ?? 0,
    kill: (pid, signal) => process.kill(pid, signal),
  },
  picture: {
    path: 'demo.svg',
    write: async (timelines) => {
      await Promise.resolve(writeFileSync(join(docs, 'timeline.svg'), drawTimelines(timelines)));
    },
  },
});
const output = chunks.join('').trimEnd();
if (status !== 0) throw new Error(`the demo ended with ${status}:\n${output}`);
writeFileSync(join(docs, 'demo.svg'), drawTerminal(output, title));
