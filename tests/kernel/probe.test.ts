// A probe is made in the network namespace of the target and counts only what the program itself has done.
import { readlinkSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { acceptance } from '../../src/engine/probe/accepted.ts';
import { describeProbe, openProbe, probeRefusal, type ProbeAttempts } from '../../src/engine/probe.ts';
import { NetworkNamespace } from '../../src/engine/network-namespace.ts';
import { connect, connectionEnds, openSocketDiagnosis, openStream } from '../../src/native/socket.ts';
import type { Probe } from '../../src/protocol/request.ts';
import { compile } from '../support/kernel/compile.ts';
import { launch, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const http: Probe = { kind: 'http', host: '127.0.0.1', port: 8080, path: '/healthz?full=1' };
const tcp: Probe = { kind: 'tcp', host: '127.0.0.1', port: 8080 };
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a probe', () => {
  needs('root', { command: 'gcc' }, { command: 'unshare' }, { command: 'ip' });

  test.each([ok, 'HTTP/1.0 204\n\n', 'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n'])(
    'is answered by %j',
    async (answer) => {
      const attempts = probe(http, await serve('4', answer));
      await expectAnswered(attempts);
      expect(attempts.lastFailure).toBeNull();
    },
  );

  test('is answered in pieces, after an interim answer', async () => {
    const server = await serve('4', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n|\r\nHTT|P/1.1 200 OK\r\n');
    await expectAnswered(probe(http, server));
  });

  test('is answered by an endless header: the status is all that counts', async () => {
    await expectAnswered(probe(http, await serve('4', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`)));
  });

  test.each([
    ['was answered 503', 'HTTP/1.1 503 Service Unavailable\r\n\r\n'],
    ['was answered 404', 'HTTP/1.1 404 Not Found\r\n\r\n'],
    ['was answered with something that is not HTTP/1', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['was answered with something that is not HTTP/1', `HTTP/1.1 ${'9'.repeat(9_000)}`],
    ['got no status in the first 64 KiB of an answer', `HTTP/1.1 100 Continue\r\nX: ${'x'.repeat(100_000)}`],
    ['was cut off (connection reset)', 'RESET'],
    ['was closed without an answer', 'CLOSE'],
    ['was closed in the middle of an answer', 'HTTP/1.1 2'],
    ['got no answer within 1 s', 'SILENT'],
    ['got no answer within 1 s', '||||||HTTP/1.1 200 OK\r\n\r\n'],
  ])('that %s has failed, and is made again', async (why, bad) => {
    const attempts = probe(http, await serve('4', bad, ok));
    await until('it fails', () => attempts.poll() === 'waiting' && attempts.lastFailure !== null);
    expect(attempts.lastFailure).toBe(why);
    await expectAnswered(attempts);
  });

  test('has the time that it is given', async () => {
    const attempts = probe({ ...http, timeoutMs: 5_000 }, await serve('4', '||||||HTTP/1.1 200 OK\r\n\r\n'));
    await expectAnswered(attempts);
    expect(attempts.lastFailure).toBeNull();
  });

  test('is refused until somebody listens', async () => {
    const server = launch('unshare', [
      '--net',
      'sh',
      '-c',
      `ip link set lo up && echo up && read go && exec "$0" 4 "${ok}"`,
      compile('probed'),
    ]);
    await server.line(/^up$/);
    for (const wanted of [http, tcp]) {
      const attempts = probe(wanted, server);
      await until('it is refused', () => attempts.poll() === 'waiting' && attempts.lastFailure !== null);
      expect(attempts.lastFailure).toBe('was refused (connection refused)');
    }
    const attempts = probe(http, server);
    expect(attempts.poll()).toBe('waiting');
    server.say('go');
    await expectAnswered(attempts);
  });

  test.each([
    ['4', '127.0.0.1'],
    ['6', '::1'],
    ['6', '127.0.0.1'],
    ['4', '::ffff:127.0.0.1'],
    ['4', '0.0.0.0'],
  ])('of tcp is answered when the program has accepted it (IPv%s, %s)', async (family, host) => {
    await expectAnswered(probe({ ...tcp, host }, await serve(family, 'accept')));
    await expectAnswered(probe({ ...http, host }, await serve(family, ok)));
  });

  test.each([
    ['4', '127.0.0.1'],
    ['6', '::1'],
    ['6', '127.0.0.1'],
  ])('is not answered by a queue: the program listens and never accepts (IPv%s, %s)', async (family, host) => {
    const server = await serve(family, 'never');
    for (const wanted of [tcp, http]) {
      const attempts = probe({ ...wanted, host }, server);
      await until('the attempt is over', () => attempts.poll() === 'waiting' && attempts.lastFailure !== null);
      expect(attempts.lastFailure).toBe(
        wanted.kind === 'tcp' ? 'was not accepted within 1 s' : 'got no answer within 1 s',
      );
    }
  });

  test.each(['never', 'accept'])('of tcp is judged alike by the table of connections (%s)', async (mode) => {
    for (const family of ['4', '6']) {
      const server = await serve(family, mode);
      using namespace = new NetworkNamespace(server.pid);
      const fd = namespace.within(() => openStream(4));
      connect(fd, { family: 4, address: Buffer.from([127, 0, 0, 1]), port: 8080 });
      const ends = await until('it is connected', () => connectionEnds(fd));
      const diagnosis = namespace.within(openSocketDiagnosis);
      const wanted = mode === 'never' ? 'queued' : 'accepted';
      for (const source of [diagnosis, -1]) {
        await until(
          `${wanted} by ${source}`,
          () => acceptance({ diagnosis: source, tid: server.pid }, ends) === wanted,
          2_000,
        );
        const elsewhere = { ...ends, peer: { ...ends.peer, port: 9 } };
        expect(acceptance({ diagnosis: source, tid: server.pid }, elsewhere)).toBe('elsewhere');
      }
    }
  });

  test('takes less than 1 ms of a watch loop, and leaves no descriptor and no namespace behind', async () => {
    const server = await serve('4', 'never');
    const before = ownState();
    const took: number[] = [];
    {
      using attempts = openProbe(tcp, server.pid);
      await until('an attempt is over', () => {
        const began = performance.now();
        attempts.poll();
        took.push(performance.now() - began);
        return attempts.lastFailure !== null;
      });
    }
    expect(took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.95)]).toBeLessThan(1);
    expect(ownState()).toEqual(before);
  });
});

describe('the refusal of a probe', () => {
  needs('root', { command: 'gcc' }, { command: 'unshare' }, { command: 'ip' });

  test('is not needed where it can be made', async () => {
    const server = await serve('4', 'never');
    expect(probeRefusal(http, { tid: server.pid, name: 'pid/1' })).toBeNull();
    expect(probeRefusal(tcp, { tid: process.pid, name: 'pid/1' })).toBeNull();
  });

  test('names what an unprivileged hotexec lacks', async () => {
    const server = await serve('4', 'never');
    const script = `
      import { probeRefusal } from ${JSON.stringify(new URL('../../src/engine/probe.ts', import.meta.url).href)};
      process.seteuid(65534);
      console.log(JSON.stringify(probeRefusal(${JSON.stringify(tcp)}, { tid: ${server.pid}, name: 'docker/web' })));`;
    const other = launch(process.execPath, ['--input-type=module', '-e', script]);
    const [line] = await other.line(/^\{.*/);
    expect(line).toMatch(/"code":"not-permitted","message":"docker\/web: .*(?:EACCES|EPERM)/);
  });

  test.each<Probe>([
    { ...tcp, host: 'localhost' },
    { ...tcp, host: 'fe80::1' },
    { ...tcp, host: '::1%lo' },
    { ...tcp, port: 0 },
    { ...http, path: 'healthz' },
    { ...http, path: '/a b' },
    { ...http, path: '/a\r\nX: y' },
  ])('names what makes no sense: %j', (wanted) => {
    const refusal = probeRefusal(wanted, { tid: process.pid, name: 'pid/1' });
    expect(refusal).toMatchObject({ code: 'usage' });
    expect(refusal?.message.startsWith(`--probe ${describeProbe(wanted)}: `)).toBe(true);
  });
});

/** In a network namespace of its own. */
async function serve(family: string, ...answers: readonly string[]): Promise<Target> {
  const script = 'ip link set lo up && exec "$0" "$@"';
  const server = launch('unshare', ['--net', 'sh', '-c', script, compile('probed'), family, ...answers]);
  await server.line(/^started/);
  return server;
}

function probe(wanted: Probe, server: Target): ProbeAttempts {
  const attempts = openProbe(wanted, server.pid);
  onTestFinished(() => attempts[Symbol.dispose]());
  return attempts;
}

async function expectAnswered(attempts: ProbeAttempts): Promise<void> {
  await until('the probe is answered', () => attempts.poll() === 'answered');
}

function ownState(): object {
  return { network: readlinkSync('/proc/thread-self/ns/net'), descriptors: openDescriptors() };
}

function openDescriptors(): readonly string[] {
  return Array.from({ length: 256 }, (_, fd) => linkOf(fd)).filter((link) => /^(?:net:|socket:)/.test(link));
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
