// kubectl hotexec doctor, and what a test looks for in its answer.
import type { DoctorDocument } from '../../../src/doctor/document.ts';
import { kubectlHotexecJson, type Answered } from './hotexec.ts';
import { kubectl } from './kubectl.ts';
import { apply, type Data } from './manifest.ts';
import type { Pod } from './pod.ts';

export async function doctor(...words: readonly string[]): Promise<Answered<DoctorDocument>> {
  return await kubectlHotexecJson<DoctorDocument>('doctor', ...words);
}

export async function doctorOf(pod: Pod, ...flags: readonly string[]): Promise<Answered<DoctorDocument>> {
  return await doctor(pod.name, '-n', pod.namespace, ...flags);
}

export type Found = DoctorDocument['findings'][number];

/** The only one of that subject, or the first in that section. */
export function finding({ findings }: DoctorDocument, subject: string, section?: string): Found {
  const found = findings.find((one) => one.subject === subject && (section ?? one.section) === one.section);
  if (found === undefined) throw new Error(`there is no finding ${subject} in ${JSON.stringify(findings)}`);
  return found;
}

/** As `get pods`. */
export function rightsWith(verdict: Found['verdict'], { findings }: DoctorDocument): readonly string[] {
  return findings
    .filter((one) => one.section.startsWith('Rights') && one.verdict === verdict)
    .map(({ subject }) => subject);
}

/** By a Role of this user alone. */
export async function allow(user: string, namespace: string, rules: readonly Data[]): Promise<void> {
  const name = `of-${user}`;
  await apply(namespace, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules });
  await kubectl('create', 'rolebinding', name, `--role=${name}`, `--user=${user}`, '-n', namespace);
}
