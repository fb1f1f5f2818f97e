import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatHostPort, parseEndpoint } from '../../../src/engine/probe/address.ts';
import { httpRequest, isRequestPath, parseHttpAnswer } from '../../../src/engine/probe/http-answer.ts';

describe('parseEndpoint', () => {
  it.each([
    ['127.0.0.1', '7f000001'],
    ['::', '00'.repeat(16)],
    ['::1', `${'00'.repeat(15)}01`],
    ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['1::', `0001${'00'.repeat(14)}`],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:10.1.2.3', `${'00'.repeat(10)}ffff0a010203`],
    ['64:ff9b::192.0.2.33', `0064ff9b${'00'.repeat(8)}c0000221`],
  ])('reads %s', (host, hex) => {
    const endpoint = parseEndpoint(host, 80);
    expect(endpoint?.address.toString('hex')).toBe(hex);
    expect(endpoint?.port).toBe(80);
  });

  it.each(['', 'localhost', '127.1', '010.0.0.1', 'fe80::1', 'FEBF::1', '::1%lo', '[::1]', '1.2.3.4:80'])(
    'takes no %j',
    (host) => {
      expect(parseEndpoint(host, 80)).toBeUndefined();
    },
  );

  it.each([0, -1, 65_536, 1.5, Number.NaN])('takes no port %d', (port) => {
    expect(parseEndpoint('127.0.0.1', port)).toBeUndefined();
  });

  it('gives 4 or 16 bytes for every address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (host) => {
        const endpoint = parseEndpoint(host, 1);
        expect([undefined, 4, 16]).toContain(endpoint?.address.length);
      }),
    );
  });
});

it('takes what Node takes for an address, but for link-local ones', () => {
  const group = fc.stringMatching(/^([0-9a-f]{0,5}|0?\d{1,3})$/);
  const text = fc
    .array(fc.tuple(group, fc.constantFrom(':', '::', '.', '')), { maxLength: 10 })
    .map((parts) => parts.flat().join(''));
  fc.assert(
    fc.property(fc.oneof(text, fc.ipV4(), fc.ipV6()), (host) => {
      const isLinkLocal = /^fe[89ab][0-9a-f]:/i.test(host);
      expect(parseEndpoint(host, 80)?.family ?? 0).toBe(isLinkLocal ? 0 : isIP(host));
    }),
    { numRuns: 3000 },
  );
});

describe('httpRequest', () => {
  it('is one that a server closes after', () => {
    const request = httpRequest({ kind: 'http', host: '::1', port: 8080, path: '/live?x=1' });
    expect(request.toString().split('\r\n')).toEqual([
      'GET /live?x=1 HTTP/1.1',
      'Host: [::1]:8080',
      'User-Agent: hotexec',
      'Accept: */*',
      'Connection: close',
      '',
      '',
    ]);
    expect(formatHostPort('10.0.0.1', 80)).toBe('10.0.0.1:80');
  });

  it('has headers of its own, and none that would make of it another request', () => {
    const headers = [
      ['host', 'shop.example'],
      ['X-Probe', 'ready'],
      ['Connection', 'keep-alive'],
      ['X-Bad', 'a\r\nEvil: yes'],
      ['bad name', 'x'],
    ] as const;
    const request = httpRequest({ kind: 'http', host: '10.0.0.1', port: 80, path: '/', headers });
    expect(request.toString().split('\r\n')).toEqual([
      'GET / HTTP/1.1',
      'User-Agent: hotexec',
      'Accept: */*',
      'host: shop.example',
      'X-Probe: ready',
      'Connection: close',
      '',
      '',
    ]);
  });

  it.each([
    ['/', true],
    ['/a%20b?c=d&e', true],
    ['', false],
    ['a', false],
    ['/a b', false],
    ['/ä', false],
    ['/\n', false],
    ['/\u007F', false],
  ])('takes the path %j: %s', (path, good) => {
    expect(isRequestPath(path)).toBe(good);
  });
});

describe('parseHttpAnswer', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\n', 200],
    ['HTTP/1.1 200\r\n', 200],
    ['HTTP/1.0 503 No\n', 503],
    ['HTTP/1.1 101 Switching Protocols\r\n', 101],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nX: y', 404],
    ['HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No Content\r\n', 204],
  ])('reads %j', (text, status) => {
    expect(parseHttpAnswer(Buffer.from(text))).toEqual({ kind: 'status', status });
  });

  it('waits for the rest wherever the answer is cut', () => {
    const whole = 'HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n';
    for (let length = 0; length < whole.length; length++) {
      expect(parseHttpAnswer(Buffer.from(whole.slice(0, length))).kind).toBe('incomplete');
    }
  });

  it.each([
    'x',
    'SSH-2.0-x\r\n',
    'HTTP/2 200\r\n',
    'HTTP/1.1 20 OK\r\n',
    'HTTP/1.1 2000\r\n',
    'HTTP/1.1 099 X\r\n',
    '\n',
  ])('sees that %j is not HTTP', (text) => {
    expect(parseHttpAnswer(Buffer.from(text))).toEqual({ kind: 'not-http' });
  });

  it('takes no line without an end', () => {
    expect(parseHttpAnswer(Buffer.from(`HTTP/1.1 200 ${'x'.repeat(9_000)}`))).toEqual({ kind: 'not-http' });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(['incomplete', 'status', 'not-http']).toContain(parseHttpAnswer(Buffer.from(bytes)).kind);
      }),
    );
  });
});
