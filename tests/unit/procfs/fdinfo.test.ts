// Captured on Linux 6.18.
import { describe, expect, it } from 'vitest';
import { parseFdInfo } from '../../../src/procfs/fdinfo.ts';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { findCrash } from './total.ts';

const HEAD = 'pos:\t0\nflags:\t02\nmnt_id:\t17\nino:\t1038\n';

describe('parseFdInfo', () => {
  it('reads a listening socket that execve closes', () => {
    expect(parseFdInfo('pos:\t0\nflags:\t02004002\nmnt_id:\t10\nino:\t37559\n')).toStrictEqual({
      position: 0n,
      flags: 0o2004002,
      closeOnExec: true,
      nonBlocking: true,
      mountId: 10,
      inode: 37_559n,
      kind: 'file',
    });
  });

  it('reads a file that stays open, of a kernel before 5.14', () => {
    expect(parseFdInfo('pos:\t12514\nflags:\t0100001\nmnt_id:\t27\n')).toStrictEqual({
      position: 12_514n,
      flags: 0o100001,
      closeOnExec: false,
      nonBlocking: false,
      mountId: 27,
      inode: undefined,
      kind: 'file',
    });
  });

  it.each([
    ['epoll', 'tfd:        4 events:       1f data:                4  pos:0 ino:92b7 sdev:9\n'],
    ['eventfd', 'eventfd-count:                3\neventfd-id: 4\neventfd-semaphore: 0\n'],
    [
      'inotify',
      'inotify wd:1 ino:3c4a3 sdev:fe00000 mask:2 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:a3c4\n',
    ],
    ['timerfd', 'clockid: 1\nticks: 0\nsettime flags: 00\nit_value: (0, 0)\nit_interval: (0, 0)\n'],
    ['signalfd', 'sigmask:\t0000000000000200\n'],
    ['pidfd', 'Pid:\t16006\nNSpid:\t16006\n'],
    ['fanotify', 'fanotify flags:10 event-flags:0\n'],
    ['io_uring', 'SqMask:\t0x7\nSqHead:\t0\n'],
    ['bpf', 'prog_type:\t8\nprog_jited:\t1\n'],
    ['file', 'lock:\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF\n'],
    ['file', 'scm_fds: 0\n'],
  ])('knows an %s by its lines', (kind, lines) => {
    expect(parseFdInfo(HEAD + lines).kind).toBe(kind);
  });

  it('refuses a text without flags or position', () => {
    expect(() => parseFdInfo('pos:\t0\n')).toThrow(ParseError);
    expect(() => parseFdInfo('flags:\t02\n')).toThrow(ParseError);
    expect(() => parseFdInfo('pos:\t0\nflags:\t09\n')).toThrow(ParseError);
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseFdInfo, HEAD)).toBeUndefined();
  });
});
