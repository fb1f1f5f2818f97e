import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/front/engine.ts';
import { engineFlags, startEngine } from '../../../src/front/launch.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import { fakeEngines } from '../../support/fake-engines.ts';
import { until } from '../../support/until.ts';

it('gives the engine a session of its own, which no terminal can interrupt', () => {
  using engine = fakeEngines(['works']).start();
  const { pid, session, pgrp } = parseStat(readFileSync(`/proc/${engine.pid}/stat`, 'utf8'));
  expect({ session, pgrp }).toEqual({ session: pid, pgrp: pid });
});

it('keeps the NODE_OPTIONS of the caller from the engine', () => {
  const env = { ...process.env, NODE_OPTIONS: '--inspect-brk' };
  using engine = startEngine({ execPath: process.execPath, env, args: ['-e', 'process.stdin.resume()'] });
  expect(readFileSync(`/proc/${engine.pid}/environ`, 'utf8')).not.toContain('NODE_OPTIONS');
});

it('lets an engine that was asked nothing end by itself', async () => {
  const engine = fakeEngines(['works']).start();
  engine[Symbol.dispose]();
  expect(await ends(engine)).toBe(true);
});

it('tells of an engine that cannot even be started', async () => {
  const engine = startEngine({ execPath: '/nonexistent/node', env: {}, args: [] });
  const reply = await engine.ask({ kind: 'mend', operationId: '', target: anyTarget }, { answerWithinMs: 5_000 });
  expect(reply).toMatchObject({
    kind: 'died',
    exitCode: null,
    signal: null,
    stderr: expect.stringContaining('ENOENT') as string,
  });
});

it.each([
  { bundle: 'engine', flags: engineFlags },
  { bundle: 'process', flags: [] },
])('runs the $bundle bundle with the very flags its code cache was made for', ({ bundle, flags }) => {
  // Builds of former days may lie beside it.
  const found = globSync(`${join(import.meta.dirname, '../../../dist/chunks')}/${bundle}-*.cache`);
  const path = found.toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1) ?? '';
  const read = `const { readFileSync } = process.getBuiltinModule('node:fs');
    const source = readFileSync(${JSON.stringify(path.replace(/cache$/, 'cjs'))}, 'latin1');
    const { Script } = process.getBuiltinModule('node:vm');
    console.log(new Script(source, { cachedData: readFileSync(${JSON.stringify(path)}) }).cachedDataRejected);`;
  expect(execFileSync(process.execPath, [...flags, '-e', read], { encoding: 'utf8' })).toBe('false\n');
});

const anyTarget = { name: 'pid/1', pid: 1, startTicks: 0, container: null, spec: null };

async function ends({ pid }: Engine): Promise<boolean> {
  return await until('the engine has ended', () => !existsSync(`/proc/${pid}`), 5_000);
}
