// /proc/PID/mountinfo (proc_pid_mountinfo(5)): the mounts of the process's mount namespace, as its root sees them.
import { unescapeOctal } from './escape.ts';
import { parseInteger } from './numbers.ts';
import { ParseError } from './parse-error.ts';

export interface Mount {
  readonly id: number;
  readonly parentId: number;
  /** `major:minor`, decimal. */
  readonly device: string;
  /** The part of the file system that is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** `shared:1`, `master:2`, `unbindable`… */
  readonly propagation: readonly string[];
  readonly fsType: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

const SOURCE = 'mountinfo';

/** Parses a mountinfo file. Throws ParseError. */
export function parseMountInfo(text: string): readonly Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

function parseLine(line: string): Mount {
  // An empty field is possible (a mount without a source), so only single spaces divide.
  const fields = line.split(' ');
  const [id, parentId, device, root, mountPoint, options, ...rest] = fields;
  const dash = rest.indexOf('-');
  const [fsType, source, superOptions] = rest.slice(dash + 1);
  if (dash === -1 || device === undefined || root === undefined || mountPoint === undefined || options === undefined) {
    throw new ParseError(SOURCE, 'no mount', line);
  }
  return {
    id: parseInteger(SOURCE, id),
    parentId: parseInteger(SOURCE, parentId),
    device,
    root: unescapeOctal(root),
    mountPoint: unescapeOctal(mountPoint),
    options: options.split(','),
    propagation: rest.slice(0, dash),
    fsType: unescapeOctal(fsType ?? ''),
    source: unescapeOctal(source ?? ''),
    superOptions: (superOptions ?? '').split(',').filter(Boolean).map(unescapeOctal),
  };
}
