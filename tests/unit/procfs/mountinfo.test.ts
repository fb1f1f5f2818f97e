// Captured on Linux 6.18, paths changed.
import { describe, expect, it } from 'vitest';
import { parseMountInfo } from '../../../src/procfs/mountinfo.ts';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { findCrash } from './total.ts';

const MOUNTS = `22 27 0:21 / /proc rw,relatime - proc proc rw
42 27 254:0 /data /tmp/a\\040b\\134c rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard
43 27 0:44 / / rw,relatime - overlay overlay rw,lowerdir=/l1:/l2,upperdir=/u\\054x,workdir=/w
44 27 0:45 / /nosource rw - tmpfs  rw
`;

describe('parseMountInfo', () => {
  it('reads a mount with optional fields and escapes', () => {
    expect(parseMountInfo(MOUNTS)[1]).toStrictEqual({
      id: 42,
      parentId: 27,
      device: '254:0',
      root: '/data',
      mountPoint: String.raw`/tmp/a b\c`,
      options: ['rw', 'relatime'],
      propagation: ['shared:1', 'master:2'],
      fsType: 'ext4',
      source: '/dev/vda',
      superOptions: ['rw', 'discard'],
    });
  });

  it('reads a mount without optional fields, and one without a source', () => {
    const mounts = parseMountInfo(MOUNTS);
    expect(mounts[0]).toMatchObject({ propagation: [], fsType: 'proc', mountPoint: '/proc' });
    expect(mounts[3]).toMatchObject({ fsType: 'tmpfs', source: '', superOptions: ['rw'] });
  });

  it('keeps an escaped comma inside of an option', () => {
    expect(parseMountInfo(MOUNTS)[2]?.superOptions).toStrictEqual([
      'rw',
      'lowerdir=/l1:/l2',
      'upperdir=/u,x',
      'workdir=/w',
    ]);
  });

  it('refuses a line without the dash or with a strange id', () => {
    expect(() => parseMountInfo('22 27 0:21 / /proc rw proc proc rw')).toThrow(ParseError);
    expect(() => parseMountInfo('x 27 0:21 / /proc rw - proc proc rw')).toThrow(ParseError);
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseMountInfo, MOUNTS)).toBeUndefined();
  });
});
