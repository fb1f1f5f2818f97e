import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pack } from '../../../src/agent/pack.ts';
import { Uploads } from '../../../src/agent/uploads.ts';
import type { AgentAsked } from '../../../src/protocol/agent.ts';
import { defaultRestartOptions, sameProgram } from '../../../src/protocol/request.ts';
import { tempDirectory } from '../../support/temp.ts';

function copying(...sources: readonly string[]): AgentAsked {
  const files = sources.map((source) => ({ source, destination: '/x', owner: null, allowVolume: false }));
  return { kind: 'restart', program: { ...sameProgram, files }, options: defaultRestartOptions };
}

/** Two files with the same content, a link, a directory that nobody may write to. */
function tree(): string {
  const directory = join(tempDirectory(), 'tree');
  mkdirSync(join(directory, 'closed'), { recursive: true });
  writeFileSync(join(directory, 'plain'), 'same');
  chmodSync(join(directory, 'plain'), 0o644);
  writeFileSync(join(directory, 'closed/run'), 'same');
  chmodSync(join(directory, 'closed/run'), 0o4755);
  symlinkSync('../elsewhere', join(directory, 'link'));
  chmodSync(join(directory, 'closed'), 0o555);
  return directory;
}

describe('files that are packed', () => {
  it('come to be the same elsewhere: names, modes, links; each content goes once', async () => {
    const source = tree();
    const { uploads, files } = await pack(copying(source, join(source, 'plain')));
    expect([...files.values()]).toMatchObject([{ sizeBytes: 4 }]);

    const there = new Uploads(join(tempDirectory(), 'uploads'));
    const [file] = files.values();
    if (file === undefined) throw new Error('nothing was packed');
    expect(await there.offer('op', [file])).toEqual([{ kind: 'want', offset: 0 }]);
    const receiving = await there.receive('op', { digest: file.digest, offset: 0 });
    await receiving.write(Buffer.from('same'));
    expect(await receiving.finish()).toBe(true);
    expect(await there.offer('op', [file])).toEqual([{ kind: 'have' }]);

    const places = await there.place('op', uploads);
    const place = places.get(source) ?? '';
    expect(readFileSync(places.get(join(source, 'plain')) ?? '', 'utf8')).toBe('same');
    expect(readFileSync(join(place, 'closed/run'), 'utf8')).toBe('same');
    const modes = ['plain', 'closed', 'closed/run'].map((name) =>
      (statSync(join(place, name)).mode & 0o7777).toString(8),
    );
    expect(modes).toEqual(['644', '555', '4755']);
    expect(readlinkSync(join(place, 'link'))).toBe('../elsewhere');
    await there.remove('op');
    expect(statSync(place, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('go on where they were cut off, and are thrown away when they are others', async () => {
    const there = new Uploads(join(tempDirectory(), 'uploads'));
    const large = join(tempDirectory(), 'large');
    const content = Buffer.alloc(300_000, 'hotexec ');
    writeFileSync(large, content);
    const [file] = (await pack(copying(large))).files.values();
    if (file === undefined) throw new Error('nothing was packed');
    const { digest } = file;
    await there.offer('op', [file]);
    const cut = await there.receive('op', { digest, offset: 0 });
    await cut.write(content.subarray(0, 100_000));
    expect(await there.offer('op', [file])).toEqual([{ kind: 'want', offset: 100_000 }]);
    await expect(cut.write(content.subarray(100_000))).rejects.toThrow('another connection');
    const other = await there.receive('op', { digest, offset: 100_000 });
    await other.write(Buffer.alloc(200_000, 'X'));
    expect(await other.finish()).toBe(false);
    expect(await there.offer('op', [file])).toEqual([{ kind: 'want', offset: 0 }]);
    const again = await there.receive('op', { digest, offset: 0 });
    await expect(again.write(Buffer.alloc(300_001))).rejects.toThrow('more of a file');
    await again.write(content);
    expect(await again.finish()).toBe(true);
    expect(await there.offer('op', [file])).toEqual([{ kind: 'have' }]);
  });

  it('are files, directories and links alone', async () => {
    const directory = tempDirectory();
    execFileSync('mkfifo', [join(directory, 'fifo')]);
    await expect(pack(copying(directory))).rejects.toThrow(
      /fifo is neither a file nor a directory\. Nothing was touched/,
    );
  });
});
