// In the hold the staged files take their places, before the dry run that is to meet them.
import type { Hold } from '../hold.ts';
import type { StagedFiles } from './staged.ts';

/** Leaving the scope puts them back while the old program is there. Null: there are none, or they are in place. */
export function commitFiles(held: Hold, files: StagedFiles | null): Disposable | null {
  if (files === null) return null;
  const committed = {
    [Symbol.dispose]: (): void => {
      if (held.image === 'old') files.putBack();
    },
  };
  try {
    files.commit();
  } catch (error) {
    committed[Symbol.dispose]();
    throw error;
  }
  return committed;
}
