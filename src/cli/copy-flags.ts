// --copy SRC:DEST, --chown UID[:GID] and --allow-volume: what is brought into the container.
import type { FileCopy } from '../protocol/request.ts';
import { usageError } from './usage.ts';

/** As commander gives them. */
export interface CopyFlags {
  readonly copy: readonly string[];
  readonly chown?: string | undefined;
  readonly allowVolume?: true | undefined;
}

/** As typed: the sources have not been looked at. */
export function parseCopies({ copy, chown, allowVolume }: CopyFlags): readonly FileCopy[] {
  if (copy.length === 0) {
    if (chown !== undefined) throw usageError('--chown is for what --copy brings, and there is no --copy.', replaced);
    if (allowVolume === true) throw usageError('--allow-volume is for --copy, and there is no --copy.', inMemory);
  }
  const owner = chown === undefined ? null : parseOwner(chown);
  return copy.map((text) => ({ ...parseCopy(text), owner, allowVolume: allowVolume === true }));
}

const inMemory = 'An executable on a volume is not replaced there: --with keeps the new one in memory then.';
const replaced = 'The file that --with brings gets owner and mode of the one it replaces.';

/** Split at the last `:/`: a source may have colons, a destination begins with a slash. */
function parseCopy(text: string): Pick<FileCopy, 'source' | 'destination'> {
  const at = text.lastIndexOf(':/');
  if (at > 0) return { source: text.slice(0, at), destination: text.slice(at + 1) };
  throw usageError(
    `--copy ${JSON.stringify(text)} is not SRC:DEST with a DEST that begins with /.`,
    'For example: --copy ./nginx.conf:/etc/nginx/nginx.conf',
  );
}

// (uid_t)-1 means "leave it" to chown(2).
const maxId = 2 ** 32 - 2;

/** A uid alone is the gid too, as docker's `COPY --chown` has it. */
function parseOwner(text: string): NonNullable<FileCopy['owner']> {
  const [uid = Number.NaN, gid = uid] = text.split(':').map((id) => (/^\d{1,10}$/.test(id) ? Number(id) : Number.NaN));
  if (text.split(':').length <= 2 && uid <= maxId && gid <= maxId) return { uid, gid };
  throw usageError(
    `--chown ${JSON.stringify(text)} is not UID or UID:GID.`,
    "Numbers, as inside the container: names would have to be looked up in the image's own files, which need not be there.",
  );
}
