// A program that has overwritten its own arguments or environment, and that hotexec has started: the record knows what it was given.
import type { ProgramBytes } from '../history/entry.ts';
import type { Words } from '../procfs/words.ts';
import type { Observed } from './observe.ts';

/** `known`: what was started there; null: hotexec does not know. */
export function recall(observed: Observed, known: ProgramBytes | null): Observed {
  if (known === null) return observed;
  const { program } = observed;
  const argv = remembered(program.argv, known.argv);
  const environ = remembered(program.environ, known.environment);
  return { ...observed, program: { ...program, argv, environ } };
}

function remembered(words: Words, known: readonly Buffer[]): Words {
  return words.kind === 'intact' ? words : { kind: 'intact', words: known };
}
