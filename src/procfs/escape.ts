// The kernel's octal escapes (seq_path, mangle_path in fs/seq_file.c): `\040` for a space, `\012` for a line break.

/** Undoes every three-digit octal escape: mountinfo, where the backslash itself is escaped too. */
export function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));
}

/** Undoes `\012` only: maps escapes nothing else, so another backslash there belongs to the name. */
export function unescapeLineBreaks(text: string): string {
  return text.replaceAll('\\012', '\n');
}
