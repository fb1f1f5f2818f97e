// What comes from a target must not speak to a terminal: control characters, C1 among them (U+009B alone begins an
// escape sequence), and what reorders or hides text.

// C0, DEL and C1 · soft hyphen · Arabic letter mark · Mongolian separator · zero-width and direction marks · separators ·
// bidi embeddings, overrides and isolates · invisible operators · BOM · annotations · tags · lone surrogates
const unprintable =
  // oxlint-disable-next-line no-control-regex -- they are what it is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu;

const shortEscapes: Readonly<Record<string, string>> = {
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
};

/** One line that a terminal shows and does not obey. */
export function escapeText(text: string): string {
  return text.replaceAll(unprintable, (character) => shortEscapes[character] ?? escapeCodePoint(character));
}

/** A word as a shell would read it; for a person to copy, not for a program. */
export function quoteWord(word: string): string {
  if (/^[\w@%+=:,./^-]+$/.test(word)) return word;
  const escaped = escapeText(word);
  if (escaped === word) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  return `$'${escapeText(word.replaceAll('\\', String.raw`\\`)).replaceAll("'", String.raw`\'`)}'`;
}

export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/** JSON that a terminal shows and does not obey, and any parser reads as the same value. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(unprintable, (character) =>
    character === '\n' ? character : escapeUtf16(character),
  );
}

function escapeCodePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return String.raw`\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xff_ff
    ? String.raw`\u${code.toString(16).padStart(4, '0')}`
    : String.raw`\U${code.toString(16).padStart(8, '0')}`;
}

function escapeUtf16(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => String.raw`\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');
}
