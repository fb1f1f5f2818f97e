// A successor puts in order what an agent has left that was killed together with its engine, before it does anything else on the same process.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StartEngine } from '../front/launch.ts';
import { mend, type Mending } from '../front/mend.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import type { TargetProcess } from '../protocol/request.ts';
import { removeOldJournals, type Lasting } from './lasting.ts';

/** For a program that was finishing when the agent was killed. */
const graceMs = 60_000;

export class Succession {
  readonly #startEngine: StartEngine;
  readonly #proc: string;
  /** By process: each is looked at once, since what is left later is the work of this agent. */
  readonly #looked = new Map<string, Promise<readonly string[]>>();

  constructor(startEngine: StartEngine, proc: string) {
    this.#startEngine = startEngine;
    this.#proc = proc;
  }

  /** Resolves with sentences for the person: what was found, to the first who asks. Never rejects. */
  async takeOver(target: TargetProcess, lasting: Lasting): Promise<readonly string[]> {
    if (lasting.kind === 'none') return [];
    const name = `${target.pid}-${target.startTicks}`;
    const known = this.#looked.get(name);
    if (known !== undefined) {
      await known;
      return [];
    }
    const looking = this.#look(target, lasting, name);
    this.#looked.set(name, looking);
    return looking;
  }

  async #look(
    target: TargetProcess,
    { journals, places }: Extract<Lasting, { readonly kind: 'lasting' }>,
    name: string,
  ): Promise<readonly string[]> {
    removeOldJournals(journals, this.#proc);
    if (!existsSync(join(journals, name))) return [];
    const told: string[] = [];
    const onEvent = (event: HotexecEvent): void => {
      if (event.kind === 'warning') told.push(event.message);
    };
    // Where it lies, whether there is room for another one or not.
    const left = { ...target, lasting: { ...places, journals } };
    const mending = await mend(left, { startEngine: this.#startEngine, onEvent, graceMs });
    return [...told, ...sentences(mending, told)];
  }
}

function sentences(mending: Mending, told: readonly string[]): readonly string[] {
  if (mending.kind === 'failed')
    return [
      `an agent was killed here in the middle of a restart, and what it left could not be put in order: ${mending.error.message}`,
    ];
  const { found, detail } = mending.result;
  // Of a new program the engine has told it already.
  if (found === 'nothing' || told.some((sentence) => sentence.includes(detail))) return [];
  return [`an agent was killed here in the middle of a restart, and what it left is in order now: ${detail}`];
}
