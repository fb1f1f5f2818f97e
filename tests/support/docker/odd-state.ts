// The witness of tests/fixtures/servers/odd-state.c: what it said of itself at each start and after its changes.
import type { Container } from './container.ts';
import { startContainer } from './container.ts';
import { compile } from './cache.ts';
import { imageOf } from './image.ts';
import { directory, hostFile } from './rootfs.ts';
import { until } from '../until.ts';

export type Statement = Readonly<Record<string, string | number>>;

/** Gives the container when the program has made its changes. */
export async function startOddState(...args: readonly string[]): Promise<Container> {
  const binaries = await compile('odd-state.c', ['gcc', '-O1', '-Wall', '-static', '-pthread', '-o', 'OUT/program']);
  const files = [await hostFile(`${binaries}/program`, '/odd-state'), directory('/tmp', 0o1777)];
  const container = await startContainer({
    image: await imageOf({ name: 'odd-state', files, entrypoint: ['/odd-state'] }),
    args,
  });
  await statements(container, 2);
  return container;
}

export async function statements(container: Container, count: number): Promise<Statement[]> {
  return await until(`the program says ${count} times what it finds`, async () => {
    const logs = await container.logs();
    const lines = logs.split('\n').filter((line) => line.startsWith('{'));
    return lines.length >= count && logs.endsWith('\n') && lines.map((line) => JSON.parse(line) as Statement);
  });
}

/** The names of what differs. */
export function changed(before: Statement | undefined, after: Statement | undefined): string[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].filter((name) => name !== 'when' && before?.[name] !== after?.[name]);
}
