// The words of a command line or an environment: NUL-terminated strings, one behind the other, bytes rather than text.

/** What a process was started with, or why that can no longer be told. */
export type Words =
  | { readonly kind: 'intact'; readonly words: readonly Buffer[] }
  | { readonly kind: 'overwritten'; readonly why: string };

/** Splits at the NULs; undefined when the last word has none. No bytes are no words. */
export function splitWords(bytes: Buffer): readonly Buffer[] | undefined {
  if (bytes.length > 0 && bytes.at(-1) !== 0) return undefined;
  const words: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    words.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return words;
}

/** Whether it has the form NAME=value with a name. */
export function isAssignment(word: Buffer): boolean {
  return word.indexOf('=') > 0;
}
