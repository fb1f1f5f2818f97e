// What one runtime has told: its running containers, and why it did not tell more.
import { HotexecError } from '../../errors.ts';

export interface Source {
  readonly found: readonly Found[];
  readonly failures: readonly HotexecError[];
}

export interface Found {
  /** How it is named as a target. */
  readonly type: 'docker' | 'cri' | 'containerd';
  readonly runtime: string;
  readonly id: string;
  /** What a person calls it, where that is not the id. */
  readonly name: string;
  readonly pod: string | null;
  readonly namespace: string | null;
  /** In its pod; null: it is in none. */
  readonly container: string | null;
  readonly containerdNamespace: string | null;
  readonly pid: number;
}

const atOnce = 8;

/** A container that is removed meanwhile is not there: null is left out. In the order of the items. */
export async function each<Item, Result>(
  items: readonly Item[],
  look: (item: Item) => Promise<Result | null>,
): Promise<readonly Result[]> {
  const results: (Result | null)[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await nullIfGone(look(item));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results.filter((result) => result !== null);
}

async function nullIfGone<Result>(looking: Promise<Result>): Promise<Result | null> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof HotexecError && error.code === 'target-not-found') return null;
    throw error;
  }
}
