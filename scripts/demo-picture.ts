// node scripts/demo-picture.ts: runs the real demo and draws what it prints, as a terminal window, into docs/demo.svg.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runDemo } from '../src/demo/demo.ts';
import { drawTerminal } from './terminal-svg.ts';

const docs = join(import.meta.dirname, '../docs');
const title = 'hotexec demo: a new program in the same process';

const chunks: string[] = ['\u{1b}[32m$\u{1b}[39m npm run demo\n\n'];
const status = await runDemo({
  stdout: { write: (text) => chunks.push(text) },
  colours: true,
  signal: AbortSignal.timeout(60_000),
  host: {
    execPath: process.execPath,
    uid: process.getuid?.() ?? 0,
    kill: (pid, signal) => process.kill(pid, signal),
  },
});
const output = chunks.join('').trimEnd();
if (status !== 0) throw new Error(`the demo ended with ${status}:\n${output}`);
mkdirSync(docs, { recursive: true });
writeFileSync(join(docs, 'demo.svg'), drawTerminal(output, title));
