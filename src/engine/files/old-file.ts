// The file that is to be replaced, looked at without opening it.
import { closeSync, fstatSync } from 'node:fs';
import { describeErrno } from '../../native/errno.ts';
import { identityOf } from '../../rootfs/directory.ts';
import type { ProcessRoot } from '../../rootfs/open.ts';
import { pathOfPlace, type Place } from '../../rootfs/place.ts';
import { refused } from './refuse.ts';

/** `look` gets a path that leads to that very file as long as it runs. Throws file-refused when another one stands there by now. */
export function withOldFile<Answer>(root: ProcessRoot, place: Place, look: (path: string) => Answer): Answer {
  const path = pathOfPlace(place);
  const fd = root.lookUp(path);
  if (fd < 0) throw refused(`${path} cannot be looked at: ${describeErrno(fd)}`, 'try again');
  try {
    if (place.entry === null || identityOf(fstatSync(fd, { bigint: true })) !== identityOf(place.entry.stat))
      throw refused(`${path} was replaced while it was looked at`, 'try again');
    return look(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
