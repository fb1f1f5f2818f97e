// A directory that only one user can write to: for the journals, and for the record of programs.
import { mkdirSync, statSync } from 'node:fs';

/** Makes it where it is missing, mode 0700. Throws a plain Error when others could write there; the caller says what that means. */
export function makePrivateDirectory(directory: string, uid: number): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const owner = statSync(directory);
  if (owner.uid === uid && (owner.mode & 0o022) === 0) return;
  throw new Error(
    `${directory} belongs to uid ${owner.uid} with mode ${(owner.mode & 0o777).toString(8)}: others could write there`,
  );
}
