// The agent in a container of its own beside the target, reached by exec alone: what is asked arrives, whole and once, whatever becomes of
// the connection.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sameProgram } from '../../src/protocol/request.ts';
import { asking, failureOf, listening, replacing } from '../support/docker/agent-asking.ts';
import { oneCapability, startPod } from '../support/docker/agent.ts';
import { executableOf, identityOf } from '../support/docker/change.ts';
import { findCommand } from '../support/docker/find-command.ts';
import { executionOf, innerPid } from '../support/docker/proc.ts';
import { answers } from '../support/docker/program.ts';
import { fortio } from '../support/docker/programs/fortio.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { httpGet } from '../support/docker/talk.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

describe('the agent of a container', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('restarts it, tells of it, and stays small', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    using front = agent.front(pod.target);
    const [before, run] = [await identityOf(pod.container), await answers(newcomer, pod.container)];

    const heard = listening();
    const result = await front.restart(asking(sameProgram, { timeline: true }), heard);
    expect(result).toMatchObject({ outcome: 'restarted', target: 'pod/web-0', pid: 1, error: null });
    expect(result.container).toEqual({ id: pod.container.id, name: 'app', runtime: 'docker' });
    expect(heard.events.filter(({ kind }) => kind === 'phase').length).toBeGreaterThan(5);
    expect(heard.events.some((event) => event.kind === 'timeline')).toBe(true);
    expect(await answers(newcomer, pod.container)).not.toBe(run);
    expect(await identityOf(pod.container)).toEqual(before);

    const inspection = await front.inspect({ operationId: randomUUID(), showEnvironment: false }, listening());
    expect(inspection).toMatchObject({
      target: 'pod/web-0',
      program: { exe: '/app/server' },
      verdict: { possible: true },
    });
    const plan = await front.plan({ ...asking(), gdbScript: null }, listening());
    expect(plan).toMatchObject({ possible: true, refusals: [] });
    const history = await front.history({ operationId: randomUUID() }, listening());
    expect(history.versions.map(({ state }) => state)).toEqual(['running']);

    expect(readFileSync(`/proc/${agent.container.pid}/oom_score_adj`, 'utf8').trim()).toBe('1000');
    expect(agent.residentBytes()).toBeLessThan(40 * 1024 * 1024);
  });

  test('replaces the program by a file that is sent, with a directory beside it, and keeps nothing of either', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    using front = agent.front(pod.target);
    const here = tempDirectory();
    const files = [{ source: treeIn(here), destination: '/data/tree', owner: null, allowVolume: false }];

    const plan = await front.plan({ ...asking(replacing(buildOf(2), files)), gdbScript: null }, listening());
    expect(plan.files[0]).toMatchObject({ path: '/app/server', from: buildOf(2) });
    expect(JSON.stringify(plan)).not.toContain('uploads');

    const heard = listening();
    const result = await front.restart(asking(replacing(buildOf(2), files)), heard);
    expect(result).toMatchObject({ outcome: 'restarted', error: null });
    const size = statSync(buildOf(2)).size + 'same'.length + 'another'.length;
    expect(heard.events).toContainEqual(expect.objectContaining({ kind: 'upload', doneBytes: size, totalBytes: size }));
    expect(await httpGet(pod.container.address, 8080)).toMatch(/^version 2 /);
    const root = `/proc/${pod.container.pid}/root`;
    expect(readFileSync(`${root}/app/server`).equals(readFileSync(buildOf(2)))).toBe(true);
    expect(readFileSync(`${root}/data/tree/inner/run.sh`, 'utf8')).toBe('same');
    expect(statSync(`${root}/data/tree/inner/run.sh`).mode & 0o7777).toBe(0o750);
    expect(statSync(`${root}/data/tree/conf`).mode & 0o7777).toBe(0o640);
    expect(statSync(`${root}/data/tree/inner`).mode & 0o7777).toBe(0o711);
    expect(readFileSync(`${root}/data/tree/link`, 'utf8')).toBe('same');
    const uploads = `/proc/${agent.container.pid}/root/run/hotexec/agent/uploads`;
    await until('the uploads are gone', () => readdirSync(uploads).length === 0);
  });

  test('says with the name of the file here why it cannot be brought', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    using front = agent.front(pod.target);
    const text = join(tempDirectory(), 'notes.txt');
    writeFileSync(text, 'no program');
    const { code, message } = await failureOf(front.restart(asking(replacing(text)), listening()));
    expect({ code, message }).toMatchObject({ code: 'file-refused' });
    expect(message).toContain(text);
    expect(message).not.toContain('uploads');
  });

  test('does not do an operation twice', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    using front = agent.front(pod.target);
    const asked = asking(replacing(buildOf(3)));
    const first = await front.restart(asked, listening());
    const execution = await executionOf(pod.container.pid);
    const heard = listening();
    expect(await front.restart(asked, heard)).toEqual(first);
    // Nor are its files sent again.
    expect(
      heard.events.filter(({ kind }) => kind === 'upload').map((event) => 'path' in event && event.path),
    ).not.toContain(buildOf(3));
    expect(await executionOf(pod.container.pid)).toBe(execution);

    expect(await front.outcome(asked, listening())).toEqual(first);
    const unknown = front.outcome({ operationId: randomUUID() }, listening());
    expect(await failureOf(unknown)).toMatchObject({ code: 'outcome-unknown' });
    expect(await executionOf(pod.container.pid)).toBe(execution);
  });

  test('finds the main process where the pod shares its processes', async () => {
    await using first = await startPod(newcomer, { directory: tempDirectory() });
    const share = `--pid=container:${first.container.id}`;
    await using pod = await startPod(newcomer, { directory: tempDirectory(), flags: [share] });
    const agent = await pod.startAgent({ share: first.container });
    const [others, run] = [await executionOf(first.container.pid), await answers(newcomer, pod.container)];
    const result = await agent.front(pod.target).restart(asking(), listening());
    expect(result).toMatchObject({ outcome: 'restarted', container: { id: pod.container.id } });
    expect(result.pid).toBe(await innerPid(pod.container.pid));
    expect(await answers(newcomer, pod.container)).not.toBe(run);
    expect(await executionOf(first.container.pid)).toBe(others);
  });

  test('refuses to do anything where its runtime has not let it see the container', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent({ share: null });
    const { code, message } = await failureOf(agent.front(pod.target).restart(asking(), listening()));
    expect({ code, message }).toMatchObject({ code: 'runtime-unsupported' });
    expect(message).toMatch(/a process namespace of its own/);
  });

  test('refuses a container that is not the one meant', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    const execution = await executionOf(pod.container.pid);
    const wrong = [
      [{ ...pod.target, pod: { ...pod.target.pod, uid: randomUUID() } }, 'target-not-found'],
      [{ ...pod.target, container: { ...pod.target.container, name: 'sidecar' } }, 'target-not-found'],
      [{ ...pod.target, container: { ...pod.target.container, id: '0'.repeat(64) } }, 'target-changed'],
    ] as const;
    for (const [target, code] of wrong)
      expect(await failureOf(agent.front(target).restart(asking(), listening()))).toMatchObject({ code, exitCode: 5 });
    const old = await failureOf(agent.front(pod.target, { version: '0.0.1' }).restart(asking(), listening()));
    expect(old).toMatchObject({ code: 'agent-skewed', exitCode: 5 });
    expect(await executionOf(pod.container.pid)).toBe(execution);
  });
});

describe('a large program, sent to the agent', () => {
  needs('root', 'docker', ...fortio.needs, { command: 'fortio-1.66.5' });

  test('comes whole although the connection is cut in the middle of it', async () => {
    await using pod = await startPod(fortio, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    const next = await findCommand('fortio-1.66.5');
    const { size } = statSync(next);
    const cutAfterBytes = Math.floor(size / 2);
    let resumedAt = 0;
    const heard = listening((event) => {
      if (event.kind === 'upload' && agent.opened === 2 && resumedAt === 0) resumedAt = event.doneBytes;
    });
    const result = await agent.front(pod.target, { cutAfterBytes }).restart(asking(replacing(next)), heard);
    expect(result).toMatchObject({ outcome: 'restarted' });
    expect(agent.opened).toBe(2);
    expect(resumedAt).toBeGreaterThan(cutAfterBytes / 2);
    const digest = createHash('sha256').update(readFileSync(next)).digest('hex');
    expect(result.files).toMatchObject([{ path: '/fortio', digest, sizeBytes: size }]);
    expect(executableOf(pod.container)).toBe('/fortio');
  });

  test('comes fast, and is not taken where it would be memory that is not there', async () => {
    const directory = tempDirectory();
    await using pod = await startPod(newcomer, { directory });
    const source = join(directory, 'large');
    writeFileSync(source, randomBytes(100_000_000));
    const program = {
      ...sameProgram,
      files: [{ source, destination: '/data/large', owner: null, allowVolume: false }],
    };
    const asked = { ...asking(program), gdbScript: null };

    const times: { readonly bytes: number; readonly ms: number }[] = [];
    const heard = listening((event) => {
      if (event.kind === 'upload') times.push({ bytes: event.doneBytes, ms: performance.now() });
    });
    const agent = await pod.startAgent();
    expect(await agent.front(pod.target).plan(asked, heard)).toMatchObject({ possible: true });
    const [first = { bytes: 0, ms: 0 }, last = first] = [times[0], times.at(-1)];
    expect(last.bytes).toBe(100_000_000);
    expect(((last.bytes - first.bytes) / (last.ms - first.ms)) * 1000).toBeGreaterThan(20e6);

    const inMemory = ['--tmpfs=/run/hotexec:mode=1777', '--memory=96m', ...oneCapability];
    const small = await pod.startAgent({ flags: inMemory });
    const refusal = await failureOf(small.front(pod.target).plan(asked, listening()));
    expect(refusal).toMatchObject({ code: 'memory-too-small', exitCode: 5 });
  });
});

/** A file twice with one content and two modes, a link, a directory. */
function treeIn(here: string): string {
  const tree = join(here, 'tree');
  mkdirSync(join(tree, 'inner'), { recursive: true });
  for (const [name, mode] of [
    ['conf', 0o640],
    ['inner/run.sh', 0o750],
  ] as const) {
    writeFileSync(join(tree, name), 'same');
    chmodSync(join(tree, name), mode);
  }
  writeFileSync(join(tree, 'other'), 'another');
  chmodSync(join(tree, 'inner'), 0o711);
  symlinkSync('conf', join(tree, 'link'));
  return tree;
}
