// A library call's options as the engine takes them, checked: what is wrong with them rejects with the code `usage`, and nothing was asked.
import { resolve } from 'node:path';
import { HotexecError } from '../errors.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type FileCopy,
  type ProgramChange,
  type RestartOptions as EngineOptions,
} from '../protocol/request.ts';
import { longestGraceMs, signalNumber } from '../protocol/stop-signal.ts';
import { checkDriver } from './driver.ts';
import type { ChangeOptions, Copy, ReplaceOptions, RestartOptions } from './options.ts';
import { parseProbe, withProbeAddress } from './probe.ts';
import { fileCopies, replacementFile } from './sources.ts';

export interface Change {
  readonly program: ProgramChange;
  readonly options: EngineOptions;
}

export async function changeOf(wanted: RestartOptions | ReplaceOptions): Promise<Change> {
  const { exe = null, cwd = null, from = 'auto', env = {}, copies = [] } = wanted;
  const options = engineOptions(wanted);
  const naming = { what: 'copies', cwd: resolve() };
  return {
    program: {
      ...sameProgram,
      ...('with' in wanted ? await replacementOf(wanted) : { command: wanted.command ?? null }),
      from,
      exe,
      cwd,
      files: await fileCopies(copies.map(asFileCopy), naming),
      env: environmentOf(env),
    },
    options: await withProbeAddress(options),
  };
}

async function replacementOf(wanted: ReplaceOptions): Promise<Pick<ProgramChange, 'args' | 'replacement'>> {
  const source = await replacementFile(wanted.with, { what: 'with', cwd: resolve() });
  return { args: wanted.args ?? null, replacement: { source, inMemory: wanted.inMemory ?? 'auto' } };
}

function asFileCopy({ source, destination, owner, allowVolume = false }: Copy): FileCopy {
  return { source, destination, owner: owner ?? null, allowVolume };
}

function environmentOf(env: NonNullable<ChangeOptions['env']>): ProgramChange['env'] {
  const wrong = Object.keys(env).find((name) => name === '' || name.includes('=') || name.includes('\0'));
  if (wrong !== undefined) throw usage(`env: ${JSON.stringify(wrong)} is not the name of a variable.`);
  const set = Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  const unset = Object.keys(env).filter((name) => env[name] === null);
  return { standsAlone: false, set, unset };
}

function engineOptions(wanted: ChangeOptions): EngineOptions {
  const { keepFds, children, force, timeoutMs, verbose, timeline, rollback, probationMs, driver, gdbCall } = {
    ...defaultRestartOptions,
    ...wanted,
  };
  if (probationMs !== null && !(probationMs >= 0)) throw usage(`probationMs: ${probationMs} is not a time.`);
  const probe = wanted.probe === undefined ? null : parseProbe(wanted.probe);
  if (probe !== null && probationMs === 0)
    throw usage('A probe is made while the new program is watched, and probationMs: 0 watches nothing.');
  const options = {
    keepFds,
    children,
    force,
    timeoutMs,
    verbose,
    timeline,
    rollback,
    runHooks: wanted.hooks === true,
    probationMs,
    probe,
    driver,
    gdbCall,
    ...drainOptions(wanted),
  };
  checkDriver(options, { gdb: "driver: 'gdb'", noDrain: 'drain: false', probation: 'probationMs', probe: 'probe' });
  if (driver === 'gdb' && wanted.handover === true)
    throw usage("driver: 'gdb' hands over no listening sockets: leave handover out.");
  return options;
}

function drainOptions(wanted: ChangeOptions): Pick<EngineOptions, 'drain' | 'gracePeriodMs' | 'signal' | 'handover'> {
  const { drain = true, gracePeriodMs = null, stopSignal = null, handover = true } = wanted;
  if (gracePeriodMs !== null && !(gracePeriodMs >= 0 && gracePeriodMs <= longestGraceMs))
    throw usage(`gracePeriodMs: ${gracePeriodMs} is not a time from 0 to ${longestGraceMs}.`);
  if (stopSignal !== null && signalNumber(stopSignal) === undefined)
    throw usage(`stopSignal: ${JSON.stringify(stopSignal)} is not a signal.`);
  return { drain, gracePeriodMs, signal: stopSignal, handover };
}

function usage(message: string): HotexecError {
  return new HotexecError({ code: 'usage', message, hint: null });
}
