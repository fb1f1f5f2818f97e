// A real program of the table: how its image is packed, how it is asked which of its runs answers, what it looks like
// from outside. `start` gives a container in which it already answers.
import type { Need } from '../needs.ts';
import { until } from '../until.ts';
import { startContainer, type Container } from './container.ts';
import { imageOf, type ImageRecipe } from './image.ts';

export interface Program {
  readonly name: string;
  /** Commands of this machine that packing it needs. */
  readonly needs: readonly Need[];
  readonly recipe: () => Promise<ImageRecipe>;
  /** Asks all its ports; the answer is another one after each start. It throws while the program does not serve. */
  readonly ask: (container: Pick<Container, 'address' | 'pid'>) => Promise<string>;
  /** A line that the program logs at each start, or at the first request after it. */
  readonly logLine: RegExp;
  /** The names of its processes besides the first, once it serves. */
  readonly children: readonly string[];
  /** Flags of `docker run` without which it cannot live on a read-only root. */
  readonly readOnlyFlags: readonly string[];
  /** Two fresh containers of it have the same number of threads, numbers of descriptors and mappings. */
  readonly isDeterministic: boolean;
}

const images = new Map<Program, Promise<string>>();

export async function imageOfProgram(program: Program): Promise<string> {
  const known = images.get(program) ?? program.recipe().then(imageOf);
  images.set(program, known);
  return await known;
}

export async function start(program: Program, flags: readonly string[] = []): Promise<Container> {
  const container = await startContainer({ image: await imageOfProgram(program), flags });
  try {
    await answers(program, container);
    return container;
  } catch (error) {
    const logs = await container.logs();
    await container[Symbol.asyncDispose]();
    throw new Error(`${program.name} does not serve; its log:\n${logs}`, { cause: error });
  }
}

/** Waits until the program serves on all its ports, and gives what it says of this run. */
export async function answers(program: Program, container: Container): Promise<string> {
  return await until(`${program.name} answers`, async () => await program.ask(container), 30_000);
}
