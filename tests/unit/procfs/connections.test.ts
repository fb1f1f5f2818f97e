import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConnections } from '../../../src/procfs/connections.ts';

// Captured on Linux 6.18: a listener, a connection in its queue, and the other end of that.
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 00000000:1F90 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0                     
   1: 0100007F:1F90 0100007F:A3C2 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1                        
   2: 0100007F:A3C2 0100007F:1F90 01 00000000:00000000 02:00000512 00000000  1000        7 54321 2 0000000000000000 20 4 30 10 -1                    
`;

describe('parseConnections', () => {
  it('tells listeners, queued connections and accepted ones', () => {
    const loopback = Buffer.from([127, 0, 0, 1]);
    expect(parseConnections(tcp)).toMatchObject([
      { local: { family: 4, address: Buffer.alloc(4), port: 8080 }, listening: true, inode: 12_345 },
      {
        local: { address: loopback, port: 8080 },
        peer: { address: loopback, port: 41_922 },
        listening: false,
        inode: 0,
      },
      { local: { port: 41_922 }, peer: { port: 8080 }, listening: false, inode: 54_321 },
    ]);
  });

  it('reads IPv6', () => {
    const row =
      '   0: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:0001 01 0:0 00:0 0 0 0 9 1';
    const [connection] = parseConnections(row);
    expect(connection?.local.address.toString('hex')).toBe(`${'00'.repeat(15)}01`);
    expect(connection?.inode).toBe(9);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseConnections(text)).toBeInstanceOf(Array);
      }),
    );
  });
});
