import { describe, expect, it } from 'vitest';
import { INITIAL_PID_NAMESPACE_INODE, parseNamespaceLink } from '../../../src/procfs/ns.ts';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { findCrash } from './total.ts';

describe('parseNamespaceLink', () => {
  it('reads the pid namespace of the host', () => {
    expect(parseNamespaceLink('pid:[4026531836]')).toStrictEqual({ type: 'pid', inode: INITIAL_PID_NAMESPACE_INODE });
  });

  it.each(['', 'pid', '/proc/1/ns/pid', 'pid:[]', 'pid:[1] (deleted)'])('refuses %j', (link) => {
    expect(() => parseNamespaceLink(link)).toThrow(ParseError);
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseNamespaceLink, 'pid:[4026531836]')).toBeUndefined();
  });
});
