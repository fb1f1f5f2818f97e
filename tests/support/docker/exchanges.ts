// Questions and answers over HTTP/1.1 and redis' protocol, and how to know a whole answer.
import assert from 'node:assert/strict';
import { Line, type Exchange, type Place } from './counted-load.ts';

// Some requests are in hand for longer, so that every restart meets some.
const slowEvery = 50;
const slowMs = 150;

export function httpExchange(where: () => Place, { slow }: { readonly slow: boolean } = { slow: true }): Exchange {
  return {
    where,
    question: (index, keepAlive) => {
      const path = slow && index % slowEvery === slowEvery - 1 ? `/slow/${slowMs}` : '/';
      return `GET ${path} HTTP/1.1\r\nHost: test\r\n${keepAlive ? '' : 'Connection: close\r\n'}\r\n`;
    },
    isWhole: isWholeHttp,
  };
}

/** With a Content-Length, as all of these servers answer. */
function isWholeHttp(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = bytes.subarray(0, end).toString('latin1');
  assert.match(head, /^HTTP\/1\.1 200 /);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  assert.ok(length !== undefined, `an answer without a length: ${head}`);
  return bytes.length >= end + 4 + Number(length);
}

export function redisExchange(where: () => Place): Exchange {
  return {
    where,
    question: () => 'INCR requests\r\n',
    isWhole: (bytes) => {
      if (!bytes.includes('\r\n')) return false;
      assert.match(bytes.toString('latin1'), /^:\d+\r\n$/);
      return true;
    },
  };
}

/** One question on a connection of its own; the answer's text. */
export async function ask(exchange: Exchange): Promise<string> {
  const line = new Line(exchange.where());
  try {
    const fate = await line.ask(exchange, exchange.question(0, false));
    assert.equal(fate, 'answered');
    return line.text;
  } finally {
    line.close();
  }
}
