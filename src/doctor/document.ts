// The answer of `hotexec doctor -o json`. Within hotexec/v1 fields are only added.
import type { DiagnosedCluster, DiagnosedTarget, Diagnosis } from './diagnosis.ts';
import type { Finding } from './finding.ts';

export interface DoctorDocument {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'Doctor';
  readonly target: DiagnosedTarget | null;
  readonly cluster: DiagnosedCluster | null;
  readonly possible: boolean;
  readonly findings: readonly (Finding & { readonly section: string })[];
}

export function doctorDocument({ target, cluster, possible, sections }: Diagnosis): DoctorDocument {
  return {
    apiVersion: 'hotexec/v1',
    kind: 'Doctor',
    target,
    cluster,
    possible,
    findings: sections.flatMap(({ title, findings }) =>
      findings.map((finding) => ({
        section: target !== null && title.startsWith('Target') ? 'Target' : title,
        ...finding,
      })),
    ),
  };
}
