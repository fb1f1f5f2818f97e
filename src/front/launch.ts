// How an engine comes to life: Node on dist/engine.cjs, or on the source when hotexec itself runs from source.
// It leads a session of its own, so that a terminal's Ctrl-C or hang-up reaches the front alone.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from './engine.ts';

export interface EngineLaunch {
  /** The Node that runs the engine. */
  readonly execPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What that Node runs; without it the engine that belongs to this front. */
  readonly args?: readonly string[];
}

export type StartEngine = () => Engine;

/**
 * For V8 in a process that lives a tenth of a second and holds a target meanwhile. No optimising compiler: what it makes comes too late,
 * and its threads take the CPU from the target. A young generation that is not full before the engine is done: else one garbage
 * collection of 0.6-4 ms falls into each hold. Together they take 3 of 7.5 ms off the hold of a fresh engine (measured, Node 24).
 * The engine's code cache is made for these flags (scripts/build.ts).
 */
export const engineFlags: readonly string[] = ['--no-opt', '--no-maglev', '--min-semi-space-size=16'];

/** Starts an engine. It waits for its request; one that is never asked ends by itself once it is dismissed. */
export function startEngine({ execPath, env, args = [...engineFlags, enginePath()] }: EngineLaunch): Engine {
  // The user's NODE_OPTIONS are meant for the caller: an --inspect-brk there would stop the engine for ever.
  const { NODE_OPTIONS: _, ...environment } = env;
  const child = spawn(execPath, [...args], { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: environment });
  return new Engine(child);
}

// This file is in src/front or, bundled, in dist or dist/chunks.
function enginePath(): string {
  const paths = ['../engine-main.ts', 'engine.cjs', '../engine.cjs'].map((path) => join(import.meta.dirname, path));
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`hotexec is not complete: there is no ${paths.join(' or ')}`);
  return path;
}
