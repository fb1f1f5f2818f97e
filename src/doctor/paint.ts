// Colours as functions, so that rendering stays pure: with them, or without.
import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'green' | 'cyan' | 'red' | 'yellow';
export type Paint = Readonly<Record<Style, (text: string) => string>>;

export function paintFor({ colours }: { readonly colours: boolean }): Paint {
  const with_ = (style: Style) => (text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  return {
    bold: with_('bold'),
    dim: with_('dim'),
    green: with_('green'),
    cyan: with_('cyan'),
    red: with_('red'),
    yellow: with_('yellow'),
  };
}
