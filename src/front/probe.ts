// What must be answered by the new program: http://HOST[:PORT]/PATH or tcp:HOST:PORT, as typed, and as the engine wants it.
// The probe is made in the network namespace of the target, where no name can be looked up: that is done here, before.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { HotexecError } from '../errors.ts';
import type { Probe, RestartOptions } from '../protocol/request.ts';

/** Throws a usage error. The host may still be a name. */
export function parseProbe(text: string): Probe {
  if (/^https:/i.test(text)) throw httpsRefused();
  const probe = /^http:/i.test(text) ? parseHttp(text) : parseTcp(text);
  if (probe !== undefined) return probe;
  throw usage(`The probe ${JSON.stringify(text)} is neither http://HOST[:PORT]/PATH nor tcp:HOST:PORT.`, examples);
}

const examples = 'For example: http://localhost:8080/healthz, tcp:127.0.0.1:6379';

function parseHttp(text: string): Probe | undefined {
  const url = URL.parse(text);
  if (url === null || url.hostname === '' || !/^http:\/\//i.test(text)) return undefined;
  if (url.username !== '' || url.password !== '') {
    // Without quoting it: it holds a password.
    throw usage('The probe has a user or a password in it, and neither is sent.', examples);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { kind: 'http', host, port: url.port === '' ? 80 : Number(url.port), path: `${url.pathname}${url.search}` };
}

const maxPort = 65_535;

function parseTcp(text: string): Probe | undefined {
  const [, inBrackets, name, digits = ''] =
    /^tcp:(?:\/\/)?(?:\[([\da-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = inBrackets ?? name;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > maxPort) return undefined;
  return inBrackets === undefined || isIP(inBrackets) === 6 ? { kind: 'tcp', host, port } : undefined;
}

/** The same options, with the probe's host as an address. Looks names up as this machine does. */
export async function withProbeAddress(options: RestartOptions): Promise<RestartOptions> {
  const { probe } = options;
  return probe === null ? options : { ...options, probe: { ...probe, host: await addressOf(probe.host) } };
}

async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  if (host.toLowerCase() === 'localhost') return '127.0.0.1';
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw usage(
      `The probe's host ${JSON.stringify(host)} is not known here (${why}).`,
      'Give its address: a name is looked up where hotexec runs, the probe is made in the network of the container.',
      cause,
    );
  }
}

function httpsRefused(): HotexecError {
  return usage(
    'A probe is not made by https: hotexec would have to know whom to trust there.',
    'Probe http://HOST[:PORT]/PATH, or tcp:HOST:PORT, which is answered once the program accepts the connection.',
  );
}

function usage(message: string, hint: string, cause?: unknown): HotexecError {
  return new HotexecError({ code: 'usage', message, hint }, cause === undefined ? {} : { cause });
}
