// The one error the parsers of this folder throw: the text is not what the kernel writes.

const EXCERPT_LENGTH = 120;

/** Says which file was read, what was wrong in it, and shows the beginning of the part that was wrong. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  /** The kind of file, as proc(5) names it: `stat`, `maps`, `fdinfo`. */
  readonly source: string;
  /** The offending part, cut to 120 characters. */
  readonly excerpt: string;

  constructor(source: string, problem: string, text: string) {
    const excerpt = text.slice(0, EXCERPT_LENGTH);
    super(`${source}: ${problem} in ${JSON.stringify(excerpt)}`);
    this.source = source;
    this.excerpt = excerpt;
  }
}
