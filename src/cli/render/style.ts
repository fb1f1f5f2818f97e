// Colours, where they are wanted: on a terminal, unless NO_COLOR says no or FORCE_COLOR says yes.

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

type Paint = (text: string) => string;

const plain: Paint = (text) => text;

export function styleFor({ colours }: { readonly colours: boolean }): Style {
  const paint = (open: number, close: number): Paint =>
    colours ? (text) => `\u001b[${open}m${text}\u001b[${close}m` : plain;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}

/** https://no-color.org; FORCE_COLOR=0 means no, as in Node. */
export function wantsColours(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  return isTerminal && env['TERM'] !== 'dumb';
}
