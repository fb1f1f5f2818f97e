import { expect, test } from 'vitest';
import {
  renderAfter,
  renderBefore,
  renderLog,
  renderRestarted,
  renderStarted,
  renderTitle,
} from '../../../src/demo/render.ts';
import { paintFor } from '../../../src/doctor/paint.ts';
import { after, before } from './looks.ts';

const plain = paintFor({ colours: false });

const meanwhile = { sent: 35, answered: 10, instances: ['2a365f99', '78f6c0e4'], last: after.answer };
const restarted = { pid: 17_030, holdMs: 3.14, backAfterMs: 130.7, meanwhile };

test('the story is told in four steps', () => {
  const story = [
    renderTitle(plain),
    renderStarted('user-namespace', 17_030, plain),
    renderBefore(before.tally, plain),
    renderRestarted(restarted, plain),
    renderAfter(after.tally, plain),
    renderLog('instance 2a365f99 listens on 127.0.0.1:42823\ninstance 78f6c0e4 listens on 127.0.0.1:42823\n', plain),
  ].join('');
  expect(story).toBe(`\
hotexec demo: a new program in the same process

1  Started a small HTTP server, pid 1 of its own pid namespace, 17030 here.
   You are not root: a user namespace makes that possible.
2  Sent 20 requests: all answered, by instance 2a365f99.
3  hotexec restart 17030: held for 3.1 ms, answering again after 131 ms.
   Meanwhile 35 requests: 10 answered, 25 refused.
4  Sent 20 requests: all answered, by instance 78f6c0e4.

its log, one stream over both runs
  instance 2a365f99 listens on 127.0.0.1:42823
  instance 78f6c0e4 listens on 127.0.0.1:42823
`);
});

test('a machine without namespaces is told so', () => {
  expect(renderStarted('none', 4_194_304, plain)).toBe(`\
1  Started a small HTTP server, pid 4194304.
   This machine allows no namespaces here, so it is an ordinary process.
`);
});

test('the longest of pids leaves the lines within 80 columns', () => {
  const longest =
    renderStarted('namespaces', 4_194_304, plain) + renderRestarted({ ...restarted, pid: 4_194_304 }, plain);
  expect(longest.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('a log that is too long is cut', () => {
  const log = Array.from({ length: 50 }, () => 'x'.repeat(200)).join('\n');
  const lines = renderLog(log, plain).trimEnd().split('\n').slice(2);
  expect(lines).toHaveLength(6);
  expect(Math.max(...lines.map(({ length }) => length))).toBe(80);
});
