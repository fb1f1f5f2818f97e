// What is to be brought into a container, decided: plain data between the plan and the upload.
import type { ErrorData } from '../../errors.ts';
import type { Attribute } from '../../rootfs/attributes.ts';
import type { NoSource, SourceFile, SourceLink } from './source.ts';

export interface FilePlan {
  readonly files: readonly PlannedFile[];
  /** To be made, each after the one it lies in. */
  readonly directories: readonly PlannedDirectory[];
  /** Every reason why not; empty: it can be done. */
  readonly refusals: readonly ErrorData[];
  readonly warnings: readonly string[];
  /** The new executable goes into memory, not into a file. */
  readonly memory: boolean;
}

/** As hotexec's user namespace numbers them. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface PlannedFile {
  readonly source: SourceFile | SourceLink | NoSource;
  /** Without links; it may have to be made first. */
  readonly directory: string;
  /** `device:inode`; null: it has to be made. */
  readonly directoryIdentity: string | null;
  readonly name: string;
  readonly mode: number;
  readonly owner: Owner;
  /** Extended attributes that the new file gets. */
  readonly attributes: readonly Attribute[];
  readonly isExecutable: boolean;
  /** The file that is there now; null: none. */
  readonly replaces: OldFile | null;
}

export interface OldFile extends Owner {
  readonly inode: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly modifiedNs: bigint;
  /** security.capability, hexadecimal; null: none. */
  readonly capability: string | null;
}

export interface PlannedDirectory {
  readonly directory: string;
  /** `device:inode`; null: it has to be made itself. */
  readonly directoryIdentity: string | null;
  readonly name: string;
  readonly mode: number;
  readonly owner: Owner;
}

export const noFiles: FilePlan = { files: [], directories: [], refusals: [], warnings: [], memory: false };

/** Inside the container. */
export function pathOf({ directory, name }: { readonly directory: string; readonly name: string }): string {
  return `${directory === '/' ? '' : directory}/${name}`;
}

/** Room that the journal needs for them. */
export function journalBytes({ files, directories }: FilePlan): number {
  return [...files, ...directories].reduce((sum, entry) => sum + linesBytes(entry), 0);
}

/** Two lines with the path, and what stands in them and in the two that strike them besides it. */
function linesBytes(entry: { readonly directory: string; readonly name: string }): number {
  return 2 * (Buffer.byteLength(JSON.stringify(pathOf(entry))) + 320);
}
