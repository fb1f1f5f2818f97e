// A table as kubectl prints one: headings in capitals, three blanks between the columns.

export interface Column<Item, Style> {
  readonly heading: string;
  readonly cell: (item: Item, style: Style) => string;
}

export function renderColumns<Item, Style>(
  items: readonly Item[],
  columns: readonly Column<Item, Style>[],
  style: Style,
): string {
  const cells = items.map((item) => columns.map(({ cell }) => cell(item, style)));
  const all = [columns.map(({ heading }) => heading), ...cells];
  const widths = columns.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

export function shortened(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
