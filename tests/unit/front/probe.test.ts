import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorData } from '../../../src/errors.ts';
import { parseProbe, withProbeAddress } from '../../../src/front/probe.ts';
import { defaultRestartOptions, type Probe } from '../../../src/protocol/request.ts';

describe('a probe as it is typed', () => {
  it.each<[string, Probe]>([
    ['http://127.0.0.1:8080/healthz', { kind: 'http', host: '127.0.0.1', port: 8080, path: '/healthz' }],
    ['http://localhost', { kind: 'http', host: 'localhost', port: 80, path: '/' }],
    ['HTTP://[::1]:81/a?b=c d', { kind: 'http', host: '::1', port: 81, path: '/a?b=c%20d' }],
    ['http://web.example/%0d%0aX:1#top', { kind: 'http', host: 'web.example', port: 80, path: '/%0d%0aX:1' }],
    ['tcp:127.0.0.1:6379', { kind: 'tcp', host: '127.0.0.1', port: 6379 }],
    ['tcp://localhost:1', { kind: 'tcp', host: 'localhost', port: 1 }],
    ['tcp:[::1]:65535', { kind: 'tcp', host: '::1', port: 65_535 }],
  ])('%s', (text, probe) => {
    expect(parseProbe(text)).toEqual(probe);
  });

  it.each([
    '',
    'localhost:80',
    'http:',
    'http://',
    'http:8080',
    'http://:80/',
    'http://a:99999/',
    'tcp:80',
    'tcp:a:0',
    'tcp:a:65536',
    'tcp:::1:80',
    'tcp:[::g]:80',
    'tcp:a:',
    'ftp://a/',
    'unix:/run/x',
  ])('%j is none', (text) => {
    expect(() => parseProbe(text)).toThrow(
      `The probe ${JSON.stringify(text)} is neither http://HOST[:PORT]/PATH nor tcp:HOST:PORT.`,
    );
  });

  it('is not made by https, and that is said with the reason', () => {
    expect(() => parseProbe('https://localhost/')).toThrow(
      /not made by https: hotexec would have to know whom to trust/,
    );
  });

  it('has no password in it, and the message does not show it', () => {
    expect(() => parseProbe('http://me:hunter2@localhost/')).toThrow(
      'The probe has a user or a password in it, and neither is sent.',
    );
  });

  it('is a probe or a usage error, whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((text) => `http://${text}`),
        ),
        (text) => {
          expect(outcomeOf(text)).toMatch(/^(?:tcp:.+|http:\/[!-~]*|usage)$/);
        },
      ),
    );
  });
});

describe("the probe's host", () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::1', '::1'],
    ['localhost', '127.0.0.1'],
    ['LOCALHOST', '127.0.0.1'],
  ])('%s is %s for the engine', async (host, address) => {
    expect(await withHost(host)).toBe(address);
  });

  it('is refused where the name is not known', async () => {
    // Longer than a name may be: no server is asked.
    const name = `${'x'.repeat(64)}.invalid`;
    const error = await withHost(name).catch(errorData);
    expect(error).toMatchObject({ code: 'usage', hint: expect.stringMatching(/^Give its address: /) as string });
    expect(error).toMatchObject({
      message: expect.stringMatching(/^The probe's host "x+\.invalid" is not known here \(E\w+\)\.$/) as string,
    });
  });

  it('is nothing where there is no probe', async () => {
    expect(await withProbeAddress(defaultRestartOptions)).toBe(defaultRestartOptions);
  });
});

async function withHost(host: string): Promise<string | undefined> {
  const options = { ...defaultRestartOptions, probe: { kind: 'tcp', host, port: 80 } } as const;
  return (await withProbeAddress(options)).probe?.host;
}

function outcomeOf(text: string): string {
  try {
    const probe = parseProbe(text);
    return probe.kind === 'http' ? `http:${probe.path}` : `tcp:${probe.port}`;
  } catch (error) {
    return errorData(error).code;
  }
}
