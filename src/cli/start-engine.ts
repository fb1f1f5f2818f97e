// The engine is started before anything else is loaded: it takes longest to boot, and the rest is there by then.
import { EngineAhead } from '../front/engine-ahead.ts';
import { startEngine as launchEngine, type StartEngine } from '../front/launch.ts';
import { needsEngine } from './arguments.ts';
import type { CliContext } from './context.ts';

/** Gives the engine that was started ahead to the first who asks. If nobody does, it ends with this process's pipes. */
export function startingAhead({ argv, program }: Pick<CliContext, 'argv' | 'program'>): StartEngine {
  const { env, execPath } = process;
  const ahead = new EngineAhead(() => launchEngine({ execPath, env }));
  if (needsEngine(argv, program)) ahead.prepare();
  return () => ahead.take();
}
