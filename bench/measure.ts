// What is measured, and what it may cost. All that is compared is measured in the same rounds.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { engineFlags } from '../src/front/launch.ts';
import type { Driver } from '../src/protocol/request.ts';
import type { RestartResult } from '../src/protocol/result.ts';
import { cluster } from './cluster.ts';
import type { Comparison, Limit, Rounds } from './comparison.ts';
import { startBusybox } from './container.ts';
import { restartByGdb } from './gdb.ts';
import { run, startTarget, Talking, timed, type Programs } from './programs.ts';
import { requestFor } from './request.ts';
import { oneLine } from './report.ts';
import { serving } from './serving.ts';
import { interleave, type Summary } from './statistics.ts';

/** As the front starts it; the scheduler divides a CPU among sessions (sched(7), autogroup). Node's types do not know it for spawnSync. */
const inSessionOfItsOwn: object = { detached: true };

/** Where the kernel puts 1,000 threads moves a hold by 10 ms from one round to the next: the median of 31 rounds by 1 ms. */
const forManyThreads = 3;

const root = join(import.meta.dirname, '..');
const node = join(root, 'node_modules/node/bin/node');
const hotexec = join(root, 'bin/hotexec');

/** As the others do it: nobody waits until the new program listens. */
const alone = ['--no-drain', '--no-handover', '--probation', '0'] as const;

export async function measureAll(programs: Programs, rounds: Rounds): Promise<readonly Comparison[]> {
  const found: Comparison[] = [];
  for (const part of [holds, gdbHolds, commands, containers, serving, cluster, startUp]) {
    const comparisons = await part(programs, rounds);
    // At once: what comes later may fail, and this took minutes.
    for (const one of comparisons) console.error(oneLine(one));
    found.push(...comparisons);
  }
  return found;
}

async function holds(programs: Programs, rounds: Rounds): Promise<readonly Comparison[]> {
  using reference = new Talking(programs.reference);
  using warm = new Talking(node, join(import.meta.dirname, 'warm-engine.ts'));
  await warmUp(programs, [reference, warm]);
  const found: Comparison[] = [];
  for (const threads of [1, 10, 100, 1000]) {
    using target = await startTarget(programs, threads);
    const times = threads < 1000 ? 1 : forManyThreads;
    const byAll = await holdsOf(target, { reference, warm }, rounds.many * times);
    found.push(...compareHolds(byAll, `${threads} thread${threads === 1 ? '' : 's'}`));
  }
  using large = await startTarget(programs, 1, 1024);
  const byAll = await holdsOf(large, { reference, warm }, rounds.many);
  return [...found, ...compareHolds(byAll, '1 GiB resident', 1024)];
}

/** Enough restarts for V8 to have compiled what it will compile. */
async function warmUp(programs: Programs, restarters: readonly Talking[]): Promise<void> {
  using target = await startTarget(programs);
  for (const restarter of restarters) {
    for (let i = 0; i < 200; i++) {
      await restarter.ask(String(target.pid));
      await target.next();
    }
  }
}

type Holds = Readonly<Record<'c' | 'warm' | 'fresh', Summary>>;

async function holdsOf(
  target: Talking,
  { reference, warm }: { readonly reference: Talking; readonly warm: Talking },
  rounds: number,
): Promise<Holds> {
  const byWorker = async (worker: Talking): Promise<number> => {
    const hold = Number(await worker.ask(String(target.pid)));
    await target.next();
    return hold / 1000;
  };
  return await interleave(rounds, {
    c: () => byWorker(reference),
    warm: () => byWorker(warm),
    fresh: async () => {
      const hold = holdOfFreshEngine(target.pid);
      await target.next();
      return hold;
    },
  });
}

/** As the front does it: one engine, one request. */
function holdOfFreshEngine(pid: number, driver: Driver = 'ptrace'): number {
  const input = `${JSON.stringify(requestFor(pid, driver))}\n`;
  const { stdout, stderr } = spawnSync(node, [...engineFlags, join(root, 'dist/engine.cjs')], {
    input,
    encoding: 'utf8',
    timeout: 30_000,
    ...inSessionOfItsOwn,
  });
  const answer = JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null') as { readonly result?: RestartResult } | null;
  if (answer?.result?.outcome !== 'restarted') throw new Error(`the engine answered ${stdout}${stderr}`);
  return answer.result.timingsMs.hold;
}

function compareHolds({ c, warm, fresh }: Holds, what: string, residentMib = 0): readonly Comparison[] {
  const other = { name: 'the same in C', summary: c };
  const limits: readonly Limit[] = residentMib > 0 ? [{ kind: 'at-most', value: 5 }] : [];
  return [
    { what: `hold, ${what}, engine warm`, ours: warm, other, limits: [{ kind: 'ratio', value: 1.5 }, ...limits] },
    { what: `hold, ${what}, engine fresh`, ours: fresh, other, limits: [{ kind: 'over', value: 4 }, ...limits] },
  ];
}

/** The same hold, by a gdb that hotexec tells what to do: what it costs to have no tracer of one's own. */
async function gdbHolds(programs: Programs, rounds: Rounds): Promise<readonly Comparison[]> {
  const found: Comparison[] = [];
  for (const threads of [1, 100]) {
    using target = await startTarget(programs, threads);
    const holdBy = async (driver: Driver): Promise<number> => {
      const hold = holdOfFreshEngine(target.pid, driver);
      await target.next();
      return hold;
    };
    const { ptrace, gdb } = await interleave(rounds.few, { ptrace: () => holdBy('ptrace'), gdb: () => holdBy('gdb') });
    const what = `hold, ${threads} thread${threads === 1 ? '' : 's'}, --driver gdb`;
    found.push({ what, ours: gdb, other: { name: '--driver ptrace, engine fresh', summary: ptrace }, limits: [] });
  }
  return found;
}

async function commands(programs: Programs, rounds: Rounds): Promise<readonly Comparison[]> {
  using target = await startTarget(programs);
  const ready = async (ms: number): Promise<number> => {
    await target.next();
    return ms;
  };
  const { ours, driving, article, lean } = await interleave(rounds.many, {
    ours: () => ready(timed(hotexec, 'restart', `pid/${target.pid}`, ...alone, '-q')),
    driving: () => ready(timed(hotexec, 'restart', `pid/${target.pid}`, ...alone, '--driver', 'gdb', '-q')),
    article: () => ready(restartByGdb(target.pid, 'article')),
    lean: () => ready(restartByGdb(target.pid, 'lean')),
  });
  const version = run('gdb', '--version').split('\n')[0]?.split(' ').at(-1) ?? '';
  const what = 'whole command, a process';
  const byGdb = `${what}, --driver gdb`;
  const limits: readonly Limit[] = [{ kind: 'ratio', value: 0.5 }];
  return [
    { what, ours, other: { name: `gdb ${version} as it comes`, summary: article }, limits },
    { what, ours, other: { name: `gdb ${version} without symbols`, summary: lean }, limits },
    { what: byGdb, ours: driving, other: { name: `gdb ${version} as it comes`, summary: article }, limits: [] },
    { what: byGdb, ours: driving, other: { name: `gdb ${version} without symbols`, summary: lean }, limits: [] },
  ];
}

async function containers(_: Programs, rounds: Rounds): Promise<readonly Comparison[]> {
  using container = startBusybox();
  const { ours, docker } = await interleave(rounds.few, {
    ours: () => timed(hotexec, 'restart', `docker/${container.name}`, ...alone, '-q'),
    docker: () => timed('docker', 'restart', '-t', '0', container.name),
  });
  return [
    {
      what: 'whole command, a container',
      ours,
      other: { name: 'docker restart -t 0', summary: docker },
      limits: [{ kind: 'ratio', value: 0.4 }],
    },
  ];
}

async function startUp(_: Programs, rounds: Rounds): Promise<readonly Comparison[]> {
  const { ours, nothing } = await interleave(rounds.many, {
    ours: () => timed(hotexec, '--version'),
    nothing: () => timed(node, '-e', '0'),
  });
  return [
    {
      what: 'hotexec --version',
      ours,
      other: { name: 'node -e 0', summary: nothing },
      limits: [{ kind: 'ratio', value: 2 }],
    },
  ];
}
