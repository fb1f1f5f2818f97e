// Draws the output of a program as a terminal window. It knows the few escape sequences that hotexec writes: bold, dim
// and the plain colours; anything else is an error, so that nothing is drawn wrong.

const theme = { background: '#0d1117', bar: '#161b22', text: '#c9d1d9', dim: '#768390' };
const colours: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#56d364',
  33: '#e3b341',
  36: '#56d4dd',
};

const columnWidth = 8.4;
const lineHeight = 20;
const margin = { x: 20, top: 58, bottom: 18 };
const columns = 80;

interface Style {
  readonly bold: boolean;
  readonly fill: string | null;
}

interface Span {
  readonly text: string;
  readonly style: Style;
}

const unstyled: Style = { bold: false, fill: null };

export function drawTerminal(output: string, title: string): string {
  const lines = output.split('\n');
  const width = Math.ceil(columns * columnWidth + 2 * margin.x);
  const height = margin.top + lines.length * lineHeight + margin.bottom;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">
<title>${escape(title)}</title>
<rect width="${width}" height="${height}" rx="9" fill="${theme.background}"/>
<path d="M0 9a9 9 0 0 1 9-9h${width - 18}a9 9 0 0 1 9 9v27H0z" fill="${theme.bar}"/>
<circle cx="20" cy="18" r="6" fill="#ff5f57"/><circle cx="40" cy="18" r="6" fill="#febc2e"/><circle cx="60" cy="18" r="6" fill="#28c840"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="${theme.text}" xml:space="preserve">
${lines.map((line, index) => drawLine(line, margin.top + index * lineHeight)).join('')}</g>
</svg>
`;
}

/** Each span stands at its own column, so that the table stays straight whatever font is there. */
function drawLine(line: string, y: number): string {
  let column = 0;
  let drawn = '';
  for (const { text, style } of spansOf(line)) {
    for (const { word, offset } of wordsOf(text)) {
      const x = (margin.x + (column + offset) * columnWidth).toFixed(1);
      const length = (word.length * columnWidth).toFixed(1);
      drawn += `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${attributes(style)}>${escape(word)}</text>\n`;
    }
    column += text.length;
  }
  return drawn;
}

/** Pieces between runs of two and more spaces. */
function wordsOf(text: string): readonly { readonly word: string; readonly offset: number }[] {
  return [...text.matchAll(/\S+(?: \S+)*/g)].map(({ 0: word, index }) => ({ word, offset: index }));
}

function attributes({ bold, fill }: Style): string {
  return `${bold ? ' font-weight="bold"' : ''}${fill === null ? '' : ` fill="${fill}"`}`;
}

function spansOf(line: string): readonly Span[] {
  const [first = '', ...rest] = line.split('\u{1b}[');
  const spans: Span[] = [{ text: first, style: unstyled }];
  let style = unstyled;
  for (const part of rest) {
    const [, code, text = ''] = /^(\d+)m(.*)$/su.exec(part) ?? [];
    if (code === undefined) throw new Error(`an escape sequence that is not drawn: ${JSON.stringify(part)}`);
    style = restyle(style, Number(code));
    spans.push({ text, style });
  }
  return spans.filter(({ text }) => text !== '');
}

function restyle(style: Style, code: number): Style {
  if (code === 0) return unstyled;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, fill: theme.dim };
  if (code === 22) return { bold: false, fill: style.fill === theme.dim ? null : style.fill };
  if (code === 39) return { ...style, fill: null };
  const fill = colours[code];
  if (fill === undefined) throw new Error(`a colour that is not drawn: ${code}`);
  return { ...style, fill };
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
