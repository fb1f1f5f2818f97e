import { describe, expect, it } from 'vitest';
import { parseEnvFile, parseEnvFlag } from '../../../src/cli/env-file.ts';

const env = { HOME: '/root', EMPTY: '' };

describe('--env-file', () => {
  it("reads what docker's reads, and takes every value as it stands", () => {
    const text = ['# database', '', 'URL=postgres://a=b', 'QUOTED="x y" # no comment', '  INDENTED=1 ', 'NONE='].join(
      '\n',
    );
    expect(parseEnvFile(text, 'f', env)).toEqual([
      ['URL', 'postgres://a=b'],
      ['QUOTED', '"x y" # no comment'],
      ['INDENTED', '1 '],
      ['NONE', ''],
    ]);
  });

  it('takes a bare name from here, and leaves it out where it is not set', () => {
    expect(parseEnvFile('HOME\nNOT_HERE\nEMPTY\n', 'f', env)).toEqual([
      ['HOME', '/root'],
      ['EMPTY', ''],
    ]);
  });

  it('takes files of other systems', () => {
    expect(parseEnvFile('\uFEFFA=1\r\nB=2\r\n', 'f', env)).toEqual([
      ['A', '1'],
      ['B', '2'],
    ]);
  });

  it('names the line that is wrong, and does not show the secret in it', () => {
    expect(() => parseEnvFile('A=1\nmy password=hunter2\n', 'prod.env', env)).toThrow('prod.env:2 is not NAME=value.');
    expect(() => parseEnvFile('=1', 'prod.env', env)).toThrow('prod.env:1 is not NAME=value.');
    expect(() => parseEnvFile('A=\0', 'prod.env', env)).toThrow(
      'prod.env:1 holds a NUL byte, which no environment can.',
    );
  });
});

describe('--env', () => {
  it('sets a value, or takes it from here', () => {
    expect(parseEnvFlag('A=b=c', env)).toEqual(['A', 'b=c']);
    expect(parseEnvFlag('A=', env)).toEqual(['A', '']);
    expect(parseEnvFlag('HOME', env)).toEqual(['HOME', '/root']);
  });

  it('refuses a name that is not set here, and no name', () => {
    expect(() => parseEnvFlag('NOT_HERE', env)).toThrow(/--env NOT_HERE: there is no variable/);
    expect(() => parseEnvFlag('=x', env)).toThrow(/got no name/);
  });
});
