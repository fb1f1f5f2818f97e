// How often what must never fail is tried: all of it on CI (HOTEXEC_THOROUGH=1, as .ci/run sets it), a part where somebody waits for npm test.
export const isThorough: boolean = process.env['HOTEXEC_THOROUGH'] === '1';

/** How many, or which of them. */
export function often(thorough: number, otherwise: number): number;
export function often<T>(thorough: readonly T[], otherwise: readonly T[]): readonly T[];
export function often<T>(thorough: T, otherwise: T): T {
  return isThorough ? thorough : otherwise;
}
