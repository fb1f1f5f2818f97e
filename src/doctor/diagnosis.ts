// What a doctor has found, of a machine or of a cluster.
import type { Finding } from './finding.ts';

export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export interface Diagnosis {
  /** Null: none was named. */
  readonly target: DiagnosedTarget | null;
  /** Null: it is of this machine. */
  readonly cluster: DiagnosedCluster | null;
  readonly possible: boolean;
  readonly sections: readonly Section[];
}

export interface DiagnosedTarget {
  readonly name: string;
  /** Null: it is in a cluster. */
  readonly pid: number | null;
}

export interface DiagnosedCluster {
  readonly server: string;
  readonly namespace: string;
  /** The least Role and its RoleBinding, as YAML to apply; null: nothing of it is missing. */
  readonly role: string | null;
}

/** Whether nothing in them stands in the way. */
export function isPossible(sections: readonly Section[]): boolean {
  return !sections.some(({ findings }) => findings.some(({ blocking }) => blocking));
}
