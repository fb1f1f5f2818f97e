// Text split at line feeds. node:readline is not used: it also splits at U+2028, which JSON leaves as it is.
import type { Readable } from 'node:stream';

const maxLineLength = 64 * 1024 * 1024;

/** The complete lines of a stream; what follows the last line feed was cut off by a death and is dropped. */
export async function* linesOf(stream: Readable): AsyncGenerator<string, void, undefined> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineLength)
      throw new Error(`the engine wrote a line of more than ${maxLineLength} characters`);
    yield* lines;
  }
}
