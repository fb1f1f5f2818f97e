// The request of an HTTP probe, and what the beginning of an answer says. Pure; the answer comes from the target and may be anything.
import type { Probe } from '../../protocol/request.ts';
import { formatHostPort } from './address.ts';

type HttpProbe = Extract<Probe, { readonly kind: 'http' }>;

export type HttpAnswer =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'not-http' };

/** No status line is longer. */
const longestLine = 8 * 1024;

export function httpRequest({ host, port, path, headers = [] }: HttpProbe): Buffer {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const own = [
    ['Host', formatHostPort(host, port)],
    ['User-Agent', 'hotexec'],
    ['Accept', '*/*'],
  ] as const;
  const sent = [...own.filter(([name]) => !given.has(name.toLowerCase())), ...headers.filter(isOfProbe)];
  const lines = [`GET ${path} HTTP/1.1`, ...sent.map(([name, value]) => `${name}: ${value}`), 'Connection: close'];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** A program that keeps the connection open would have the probe wait, and what ends a line begins another request. */
function isOfProbe([name, value]: readonly [string, string]): boolean {
  return name.toLowerCase() !== 'connection' && isHeader(name, value);
}

/** A field that can stand in a request (RFC 9110, 5.1 and 5.5), and is ASCII. */
function isHeader(name: string, value: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\u0020-\u007E]*$/.test(value);
}

/** A path that can stand in a request line: it begins with `/`, has no space and no control character, and is ASCII. */
export function isRequestPath(path: string): boolean {
  return /^\/[\u0021-\u007E]*$/.test(path);
}

/** Reads the status of the final answer; interim ones (100-199 but 101, RFC 9110 15.2) come before it with a header of their own. */
export function parseHttpAnswer(received: Buffer): HttpAnswer {
  let text = received.toString('latin1');
  for (;;) {
    const line = /^([^\n]*)\n/.exec(text)?.[1];
    if (line === undefined) return mayBecomeStatusLine(text) ? { kind: 'incomplete' } : { kind: 'not-http' };
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: [^\r]*)?\r?$/.exec(line)?.[1]);
    if (!(status >= 100)) return { kind: 'not-http' };
    if (status > 199 || status === 101) return { kind: 'status', status };
    const end = /\r?\n\r?\n/.exec(text);
    if (end === null) return { kind: 'incomplete' };
    text = text.slice(end.index + end[0].length);
  }
}

function mayBecomeStatusLine(text: string): boolean {
  const start = 'HTTP/1.';
  return text.length <= longestLine && text.slice(0, start.length) === start.slice(0, text.length);
}
