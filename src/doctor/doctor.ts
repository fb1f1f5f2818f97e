// hotexec doctor [TARGET]: what this machine or a cluster allows, and for each no the way out. It changes nothing.
import type { TargetProcess } from '../protocol/request.ts';
import { diagnose } from './diagnose.ts';
import type { Diagnosis } from './diagnosis.ts';
import { doctorDocument } from './document.ts';
import type { Machine } from './machine.ts';
import { paintFor } from './paint.ts';
import { renderDiagnosis } from './render.ts';

/** Where it is printed. */
export interface DoctorOutput {
  readonly stdout: { readonly write: (text: string) => unknown };
  readonly colours: boolean;
  /** As a person types it: `kubectl hotexec`. */
  readonly program: string;
  /** What others have said, so that a terminal shows it and does not obey. */
  readonly printable: Printable;
}

export interface Printable {
  readonly text: (text: string) => string;
  readonly json: (value: unknown) => string;
}

export interface DoctorContext extends DoctorOutput {
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
  return printDiagnosis(await diagnose(context.machine, target), output, context);
}

/** The exit code, again. */
export function printDiagnosis(diagnosis: Diagnosis, output: DoctorRequest['output'], to: DoctorOutput): number {
  const { stdout, program, printable } = to;
  stdout.write(
    output === 'json'
      ? `${printable.json(doctorDocument(diagnosis))}\n`
      : renderDiagnosis(diagnosis, { paint: paintFor(to), program, printable: printable.text }),
  );
  return diagnosis.possible ? possible : notPossible;
}
