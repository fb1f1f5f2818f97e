// How often what must never fail is tried: all of it on CI (HOTEXEC_THOROUGH=1, as .ci/run sets it), a part where somebody waits for npm test.
export const isThorough: boolean = process.env['HOTEXEC_THOROUGH'] === '1';

export function often(thorough: number, otherwise: number): number {
  return isThorough ? thorough : otherwise;
}
