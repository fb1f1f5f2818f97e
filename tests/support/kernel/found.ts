// What tests/fixtures/kernel/program.c has found at its start.
import type { Target } from './target.ts';

export interface Found {
  readonly argv: readonly string[];
  readonly environ: readonly string[];
  readonly [fact: string]: unknown;
}

/** Of its next start; arguments and variables are hexadecimal (`fromHex`). */
export async function found(target: Target): Promise<Found> {
  const [, text = '{}'] = await target.line(/^started (.*)/);
  return JSON.parse(text) as Found;
}

export function fromHex(hexadecimal: string): string {
  return Buffer.from(hexadecimal, 'hex').toString();
}
