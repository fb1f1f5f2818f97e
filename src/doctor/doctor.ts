// hotexec doctor [TARGET]: what this machine allows, and for each no the way out. It changes nothing.
import type { TargetProcess } from '../protocol/request.ts';
import { diagnose } from './diagnose.ts';
import { doctorDocument } from './document.ts';
import type { Machine } from './machine.ts';
import { paintFor } from './paint.ts';
import { renderDiagnosis } from './render.ts';

export interface DoctorContext {
  readonly stdout: { readonly write: (text: string) => unknown };
  readonly colours: boolean;
  /** The machine to look at: machineAt({ root: '', … }). */
  readonly machine: Machine;
}

export interface DoctorRequest {
  readonly target: TargetProcess | null;
  readonly output: 'text' | 'json';
}

const possible = 0;
const notPossible = 5;

/** The exit code: 0 if restarts are possible here, 5 otherwise. */
export async function runDoctor(context: DoctorContext, { target, output }: DoctorRequest): Promise<number> {
  const diagnosis = await diagnose(context.machine, target);
  context.stdout.write(
    output === 'json'
      ? `${JSON.stringify(doctorDocument(diagnosis), null, 2)}\n`
      : renderDiagnosis(diagnosis, paintFor(context)),
  );
  return diagnosis.possible ? possible : notPossible;
}
