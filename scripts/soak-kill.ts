// npm run soak:kill [-- N | --all]: kills hotexec N times (1,000) at random times during a restart: its engine, its front, both at once,
// or the engine and then the one that mends; --all: the engine at every single step. Fails when a target was lost, damaged or left held, or
// held for more than a second after the last kill of an engine.
// How far the engine had come is told by its journal, and counted: a soak that only killed early would say so.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { askRestart } from '../src/front/restart.ts';
import { readState } from '../src/journal/state.ts';
import { ended, restartCommand } from '../tests/support/kill/command.ts';
import { childrenOf, Survivor, type Looks, type Shape } from '../tests/support/kill/survivor.ts';
import { damageAfter, refused, requestFor, sweep, Workshop } from '../tests/support/kill/sweep.ts';
import { until } from '../tests/support/until.ts';

interface Kind {
  readonly name: string;
  readonly shape: Shape;
  /** Null: the same program again, which succeeds. */
  readonly command: readonly string[] | null;
}

const kinds: readonly Kind[] = [
  { name: '1 thread', shape: { threads: 1, mebibytes: 0 }, command: null },
  { name: '20 threads', shape: { threads: 20, mebibytes: 0 }, command: null },
  { name: 'a holder', shape: { threads: 2, mebibytes: 80 }, command: null },
  { name: 'refused in the dry run', shape: { threads: 20, mebibytes: 0 }, command: refused },
  { name: 'refused in the exec', shape: { threads: 2, mebibytes: 0, mode: 'no-clone' }, command: refused },
];
const victims = ['engine', 'front', 'both', 'engine and mender'] as const;
type Victim = (typeof victims)[number];

const roundDeadlineMs = 20_000;
const count = { old: 0, new: 0, lost: 0 };
const stages = new Map<Stage, number>();
let kills = 0;
/** How long after the last kill the target was last seen stopped or traced. An engine whose front alone was killed goes on as it would. */
const longestMs = { 'an engine was killed': 0, 'its front alone was killed': 0 };
const mostMs = 1_000;

const [asked = '1000'] = process.argv.slice(2);
const wanted = Number(asked);
if (asked !== '--all' && (!Number.isInteger(wanted) || wanted < 1)) {
  console.error('usage: npm run soak:kill [-- N | --all]');
  process.exit(2);
}
const everythingLasts = setTimeout(() => giveUp(), asked === '--all' ? 3_600_000 : 60_000 + wanted * 3_000);
await (asked === '--all' ? killAtEveryStep() : killAtRandom(wanted));
clearTimeout(everythingLasts);
console.log(`${kills} kills: old ${count.old}, new ${count.new}, lost ${count.lost}`);
if (stages.size > 0) console.log(`killed in: ${[...stages].map(([stage, times]) => `${stage} ${times}`).join(', ')}`);
for (const [when, ms] of Object.entries(longestMs)) console.log(`held for at most ${Math.round(ms)} ms after ${when}`);
process.exitCode = count.lost === 0 ? 0 : 1;

function giveUp(): never {
  console.error(`took too long: ${kills} kills: old ${count.old}, new ${count.new}, lost ${count.lost}`);
  process.exit(1);
}

async function killAtEveryStep(): Promise<void> {
  for (const { name, shape, command } of kinds) {
    for (const when of ['before', 'after'] as const) {
      const report = await sweep(when, { shape, command });
      kills += report.points;
      count.lost += report.failures.length;
      count.new += report.restarted;
      count.old += report.points - report.restarted;
      heldFor('an engine was killed', report.slowestMs);
      console.error(`${name}, ${when}: ${report.points} kills, ${report.failures.length} lost`);
      for (const failure of report.failures) console.error(failure);
    }
  }
}

async function killAtRandom(total: number): Promise<void> {
  for (let from = 0; kills < total; from++) {
    const kind = kinds[from % kinds.length];
    if (kind !== undefined) await killSome(kind, Math.min(20, total - kills));
  }
}

/** One target for some rounds; a damaged one is not used again. */
async function killSome(kind: Kind, rounds: number): Promise<void> {
  using workshop = new Workshop();
  using survivor = await Survivor.start(kind.shape);
  const span = await unharmed(kind, survivor, workshop);
  for (let round = 0; round < rounds; round++) {
    const victim = victims[kills % victims.length] ?? 'engine';
    const damage = await Promise.race([
      killOnce(kind, { survivor, workshop, victim, span }).catch((error: unknown) => [String(error)]),
      delay(roundDeadlineMs, ['no end was seen'], { ref: false }),
    ]);
    kills += 1;
    if (kills % 100 === 0) console.error(`${kills} kills, ${count.lost} lost`);
    if (damage.length === 0) continue;
    count.lost += 1;
    console.error(`kill ${kills} (${kind.name}; ${victim}): ${damage.join('; ')}`);
    return;
  }
}

function heldFor(when: keyof typeof longestMs, ms: number): void {
  longestMs[when] = Math.max(longestMs[when], ms);
}

interface Round {
  readonly survivor: Survivor;
  readonly workshop: Workshop;
  readonly victim: Victim;
  readonly span: Span;
}

/** How long a restart takes when nobody is killed. */
interface Span {
  readonly wholeMs: number;
  /** From the first line of the engine's journal until the new program runs, or nothing came of it: the target is held in here. */
  readonly heldMs: number;
}

async function unharmed({ command }: Kind, survivor: Survivor, workshop: Workshop): Promise<Span> {
  const startedMs = performance.now();
  const { outcome } = await restartCommand(survivor, workshop, { version: workshop.nextVersion(), command });
  let hasEnded = false;
  void outcome.then(() => (hasEnded = true));
  const isOver = (): boolean => hasEnded;
  await journalBegun(workshop, isOver);
  const begunMs = performance.now();
  while (!isOver() && isHeld(stageOf(workshop))) await delay(1);
  const heldMs = performance.now() - begunMs;
  const said = await outcome;
  if (said !== (command === null ? 'restarted' : 'unchanged')) throw new Error(`a restart that was let be: ${said}`);
  await survivor.alive();
  return { wholeMs: performance.now() - startedMs, heldMs };
}

/** Looks every millisecond: a hold takes ten. */
async function journalBegun(workshop: Workshop, isOver: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + roundDeadlineMs;
  while (!isOver() && !workshop.journals().some((name) => sizeOf(workshop, name) > 0)) {
    if (performance.now() > deadlineMs) throw new Error('the engine never began its journal');
    await delay(1);
  }
}

function sizeOf(workshop: Workshop, name: string): number {
  return statSync(join(workshop.runDirectory, name), { throwIfNoEntry: false })?.size ?? 0;
}

/** A quarter of the kills over the whole command with its probation, the others in the hold. */
async function moment({ workshop, span }: Round, isOver: () => boolean): Promise<void> {
  if (Math.random() < 0.25) {
    await delay(Math.random() * span.wholeMs);
  } else {
    await journalBegun(workshop, isOver);
    // The next one may be slower.
    await delay(Math.random() * span.heldMs * 1.2);
  }
}

type Stage = 'no journal' | 'observing' | 'the hold' | 'the exec' | 'the resets' | 'the release' | 'what comes after';

/** The journal outlives the hold by the probation. */
function isHeld(stage: Stage): boolean {
  return stage !== 'no journal' && stage !== 'what comes after';
}

function stageOf(workshop: Workshop): Stage {
  const [name] = workshop.journals();
  if (name === undefined || sizeOf(workshop, name) === 0) return name === undefined ? 'no journal' : 'observing';
  const state = readJournal(join(workshop.runDirectory, name));
  if (state === null) return 'no journal';
  if (state.program !== 'old') return 'what comes after';
  if (state.mark === 'own') return 'the release';
  if (state.mark !== 'exec') return 'the hold';
  return state.changesAfterExec.length === 0 ? 'the exec' : 'the resets';
}

/** Null: an engine that lives on has removed it meanwhile. */
function readJournal(path: string): ReturnType<typeof readState> {
  try {
    return readState(path);
  } catch {
    return null;
  }
}

async function killOnce({ command }: Kind, round: Round): Promise<readonly string[]> {
  const { survivor, workshop, victim } = round;
  const before = survivor.looks();
  const version = workshop.nextVersion();
  const { child, enginePid, outcome } = await restartCommand(survivor, workshop, { version, command });
  let ending: string | undefined;
  void outcome.then((word) => (ending = word));
  await moment(round, () => ending !== undefined);

  if (victim !== 'engine' && victim !== 'engine and mender') child.kill('SIGKILL');
  if (victim !== 'front' && enginePid !== null) kill(enginePid);
  const stage = stageOf(workshop);
  stages.set(stage, (stages.get(stage) ?? 0) + 1);
  if (victim === 'engine and mender') {
    const mender = await until(
      'another engine is started',
      () => ending ?? childrenOf(child.pid).find((pid) => pid !== enginePid),
    );
    await delay(Math.random() * 80);
    if (typeof mender === 'number') kill(mender);
  }
  const killedMs = performance.now();
  let isOver = false;
  const lastHeld = lastSeenHeld(survivor, () => isOver);
  const said = await outcome;
  if (enginePid !== null) await ended(enginePid);
  if (victim === 'both') await mendByNext(round);
  isOver = true;
  const heldMs = (await lastHeld) - killedMs;
  heldFor(victim === 'front' ? 'its front alone was killed' : 'an engine was killed', heldMs);
  const damage = await judge(said, { ...round, before, version });
  const isTooLong = victim !== 'front' && heldMs > mostMs;
  return isTooLong ? [...damage, `held for ${Math.round(heldMs)} ms after the kill (${stage})`] : damage;
}

/** The moment (performance.now() ms); 0: never. */
async function lastSeenHeld(survivor: Survivor, isOver: () => boolean): Promise<number> {
  let lastMs = 0;
  while (!isOver()) {
    if (survivor.whyNotFree() !== undefined) lastMs = performance.now();
    await delay(1);
  }
  return lastMs;
}

/** The next hotexec comes with a request that is refused only after it has mended. */
async function mendByNext({ survivor, workshop }: Round): Promise<void> {
  const session = { engine: workshop.startEngine(), startEngine: workshop.startEngine };
  const { outcome } = await askRestart(requestFor(survivor, workshop.nextVersion(), refused), session);
  if (outcome !== 'unchanged') throw new Error(`the next hotexec said: ${outcome}`);
}

async function judge(
  said: string,
  { survivor, workshop, before, version }: Round & { readonly before: Looks; readonly version: number },
): Promise<readonly string[]> {
  // A new program needs a moment until it says that it is one.
  if (survivor.whyNotFree() === undefined) await survivor.alive();
  const isNew = survivor.record().version === version;
  // A front that was killed has said nothing.
  const outcome = said === 'killed' ? (isNew ? 'restarted' : 'unchanged') : said;
  const damage = await damageAfter(outcome, { survivor, workshop, before, version });
  if (damage.length === 0) count[isNew ? 'new' : 'old'] += 1;
  return damage;
}

/** Of a process that this one has caused, and that is not collected before its parent sees its end. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
