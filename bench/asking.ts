// Clients of a server, one after the other; who is refused tries again at once.
import { connect } from 'node:net';

interface Server {
  readonly host: string;
  readonly port: number;
}

const patienceMs = 30_000;

/** The longest time that one of them waited for its answer, ms; `isEnough` is asked after each. */
export async function slowestAnswer(server: Server, isEnough: () => boolean): Promise<number> {
  for (let slowestMs = 0; ;) {
    const startedMs = performance.now();
    while (!(await asksOnce(server)))
      if (performance.now() - startedMs > patienceMs) throw new Error('no answer within 30 s');
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    if (isEnough()) return slowestMs;
  }
}

async function asksOnce({ host, port }: Server): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, host, () => socket.write('GET / HTTP/1.0\r\n\r\n'));
  socket
    .once('data', () => resolve(true))
    .once('error', () => resolve(false))
    .once('close', () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
}
