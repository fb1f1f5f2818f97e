import { expect, test } from 'vitest';
import { renderLog, renderPicture, renderStarted, renderTitle, renderTrial } from '../../../src/demo/render.ts';
import { paintFor } from '../../../src/doctor/paint.ts';
import { runs } from './looks.ts';

const plain = paintFor({ colours: false });

test('each restart tells what was asked, what was done, and what clients saw', () => {
  const story = [
    renderTitle(plain),
    renderStarted('user-namespace', 17_030),
    ...runs.map((run) => renderTrial(run, plain)),
    renderLog('version 1.0 (2a365f99) listens on 127.0.0.1:42823\n', plain),
    renderPicture('/tmp/demo.svg', plain),
  ].join('');
  expect(story).toBe(`\
hotexec demo: three restarts of one process, under load

   A small HTTP server runs, pid 1 of its own pid namespace, 17030 here.
   You are not root: a user namespace makes that possible.
   Clients come: 125 new connections a second.

hotexec restart 17030 --no-drain --no-handover
   Replaced at once: stopped for 2.4 ms, then another program.
   312 requests: 26 refused, 5 cut off; the slowest took 126 ms.

hotexec restart 17030 --env DEMO_VERSION=1.1
   Finished its work in 42 ms; its listener went to the new program.
   305 requests: none lost; the slowest took 214 ms.

hotexec restart 17030 --env DEMO_VERSION=2.0
   The new version exited with 1, 61 ms after its start.
   The one before it runs again, by itself.
   330 requests: none lost; the slowest took 280 ms.


its log, one stream over all of them
  version 1.0 (2a365f99) listens on 127.0.0.1:42823

what happened, as a picture: /tmp/demo.svg
`);
});

test('a machine without namespaces is told so', () => {
  expect(renderStarted('none', 4_194_304)).toBe(`\
   A small HTTP server runs, pid 4194304.
   This machine allows no namespaces here, so it is an ordinary process.
   Clients come: 125 new connections a second.

`);
});

test('the longest of pids leaves the lines within 80 columns', () => {
  const longest = renderStarted('namespaces', 4_194_304) + runs.map((run) => renderTrial(run, plain)).join('');
  expect(longest.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('a log that is too long is cut', () => {
  const log = Array.from({ length: 50 }, () => 'x'.repeat(200)).join('\n');
  const lines = renderLog(log, plain).trimEnd().split('\n').slice(2);
  expect(lines).toHaveLength(9);
  expect(Math.max(...lines.map(({ length }) => length))).toBe(80);
});
