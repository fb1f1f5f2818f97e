// Engines that behave as told, one after the other: real child processes that speak the real protocol.
import { join } from 'node:path';
import type { Engine } from '../../src/front/engine.ts';
import { startEngine, type StartEngine } from '../../src/front/launch.ts';

const program = join(import.meta.dirname, '../fixtures/front/fake-engine.ts');

export interface FakeEngines {
  readonly start: StartEngine;
  readonly started: readonly Engine[];
}

/** What was not foreseen fails the test. `recordFile` gets every line the engines are sent. */
export function fakeEngines(behaviours: readonly string[], recordFile?: string): FakeEngines {
  const rest = [...behaviours];
  const started: Engine[] = [];
  const start: StartEngine = () => {
    const behaviour = rest.shift();
    if (behaviour === undefined) throw new Error('one engine too many was started');
    const args = [program, behaviour, ...(recordFile === undefined ? [] : [recordFile])];
    const engine = startEngine({ execPath: process.execPath, env: process.env, args });
    started.push(engine);
    return engine;
  };
  return { start, started };
}
