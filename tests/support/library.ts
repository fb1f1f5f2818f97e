// The built library, called by a process of its own: what it has seen comes on descriptor 3, and nothing on the others.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';

/** What the fixture tells, as it is in JSON. */
export async function callLibrary(fixture: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const [, ...outputs] = child.stdio;
  const exited = once(child, 'exit');
  const [stdout, stderr, seen = ''] = await Promise.all(outputs.map(readAll));
  await exited;
  expect({ stdout, stderr, exitCode: child.exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  return seen;
}

async function readAll(stream: unknown): Promise<string> {
  return stream instanceof Readable ? await text(stream) : '';
}
