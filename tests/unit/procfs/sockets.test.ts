// Captured on Linux 6.18 (x86-64), addresses of the documentation ranges.
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProcNetTcp, parseProcNetUdp } from '../../../src/procfs/inet-sockets.ts';
import { formatHexAddress } from '../../../src/procfs/ip-address.ts';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { parseProcNetUnix } from '../../../src/procfs/unix-sockets.ts';
import { findCrash } from './total.ts';

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   1: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 37559 1 000000002cc89fa9 100 0 0 10 0                     
   2: 020200C0:A1EA 507100CB:01BB 01 00000000:00000000 02:00000535 00000000  1001        0 34757 2 00000000c480f28c 20 4 0 100 146                   
   3: 020200C0:A1F6 507100CB:01BB 06 00000000:00000000 03:000010F0 00000000     0        0 0 3 000000008db29524                                      
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 37560 1 00000000f7cf39d8 100 0 0 10 0
   1: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 37558 1 0000000010491ddd 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:1F92 0000000000000000FFFF00000100007F:E4F8 01 00000000:00000000 00:00000000 00000000     0        0 36466 1 0000000011184c24 20 0 0 10 -1
`;
const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            
 6177: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 36467 2 00000000066efcf5 0         
`;
const UNIX = `Num       RefCount Protocol Flags    Type St Inode Path
000000006efa3798: 00000002 00000000 00010000 0001 01 25449 /run/app.sock
00000000111d0fe9: 00000003 00000000 00000000 0001 03   644
0000000047c88da5: 00000002 00000000 00000000 0002 01 36471
000000000522a5df: 00000002 00000000 00010000 0001 01 36469 @abs@tract
00000000aff4ea05: 00000002 00000000 00000000 0005 01 36470 @seq pkt
`;

describe('parseProcNetTcp', () => {
  it('reads listening and connected IPv4 sockets, and leaves out what no descriptor holds', () => {
    expect([...parseProcNetTcp(TCP, 4).values()]).toStrictEqual([
      {
        protocol: 'tcp',
        inode: 37_559,
        local: '127.0.0.1:8081',
        remote: undefined,
        state: 'LISTEN',
        listening: true,
        uid: 0,
      },
      {
        protocol: 'tcp',
        inode: 34_757,
        local: '192.0.2.2:41450',
        remote: '203.0.113.80:443',
        state: 'ESTABLISHED',
        listening: false,
        uid: 1001,
      },
    ]);
  });

  it('reads IPv6 and mapped IPv4 addresses', () => {
    const sockets = parseProcNetTcp(TCP6, 6);
    expect(sockets.get(37_560)?.local).toBe('[::]:8082');
    expect(sockets.get(37_558)?.local).toBe('[::1]:8080');
    expect(sockets.get(36_466)).toMatchObject({
      protocol: 'tcp6',
      local: '[::ffff:127.0.0.1]:8082',
      remote: '[::ffff:127.0.0.1]:58616',
    });
  });

  it('refuses addresses of the other family', () => {
    expect(() => parseProcNetTcp(TCP6, 4)).toThrow(ParseError);
    expect(() => parseProcNetTcp(TCP, 6)).toThrow(ParseError);
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash((text) => parseProcNetTcp(text, 4), TCP)).toBeUndefined();
    expect(findCrash((text) => parseProcNetTcp(text, 6), TCP6)).toBeUndefined();
  });
});

describe('parseProcNetUdp', () => {
  it('calls a socket without a peer UNCONN', () => {
    expect(parseProcNetUdp(UDP, 4).get(36_467)).toMatchObject({
      protocol: 'udp',
      local: '0.0.0.0:5353',
      remote: undefined,
      state: 'UNCONN',
      listening: false,
    });
  });
});

describe('parseProcNetUnix', () => {
  it('reads paths, abstract names and sockets without a name', () => {
    const sockets = parseProcNetUnix(UNIX);
    expect([...sockets.values()].map(({ inode, type, path, state }) => [inode, type, path, state])).toStrictEqual([
      [25_449, 'stream', '/run/app.sock', 'LISTEN'],
      [644, 'stream', undefined, 'CONNECTED'],
      [36_471, 'dgram', undefined, 'UNCONNECTED'],
      [36_469, 'stream', '@abs@tract', 'LISTEN'],
      [36_470, 'seqpacket', '@seq pkt', 'UNCONNECTED'],
    ]);
    expect(sockets.get(25_449)?.listening).toBe(true);
  });

  it('passes over the rest of a path with a line break', () => {
    expect(parseProcNetUnix(UNIX.replace('app.sock', 'app\nsock')).get(25_449)?.path).toBe('/run/app');
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseProcNetUnix, UNIX)).toBeUndefined();
  });
});

describe('formatHexAddress', () => {
  it.each([
    ['B80D0120000000000000000001000000', '2001:db8::1'],
    ['B80D0120000000000100000001000000', '2001:db8::1:0:1'],
    ['B80D0120010000000100000001000000', '2001:db8:0:1:0:1:0:1'],
    ['000080FE000000000000000000000000', 'fe80::'],
  ])('prints %s as %s', (hex, address) => {
    expect(formatHexAddress(hex)).toBe(address);
  });

  it('prints every address in a form that is one', () => {
    const words = fc.array(fc.constantFrom('00000000', '01000000', '0000FFFF', 'B80D0120', 'FFFF0000'), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(words, (parts) => {
        expect(isIPv6(formatHexAddress(parts.join('')) ?? '')).toBe(true);
      }),
    );
    const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(bytes, (address) => {
        const printed = formatHexAddress(Buffer.from(address).toString('hex')) ?? '';
        expect(isIPv4(printed)).toBe(true);
        expect(printed).toBe(address.toReversed().join('.'));
      }),
    );
  });

  it('knows no addresses of another length', () => {
    expect(formatHexAddress('0100007')).toBeUndefined();
    expect(formatHexAddress('')).toBeUndefined();
  });
});
