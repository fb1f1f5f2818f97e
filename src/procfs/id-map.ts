// /proc/PID/uid_map and gid_map (user_namespaces(7)): `inside outside count` lines; outside as the reader's namespace names it.

export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** Lines that are not three numbers are passed over. */
export function parseIdMap(text: string): readonly IdRange[] {
  return text.split('\n').flatMap((line) => {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    const isRange = [inside, outside, count].every((number) => Number.isInteger(number));
    return isRange ? [{ inside: inside ?? 0, outside: outside ?? 0, count: count ?? 0 }] : [];
  });
}

/** The id as the process itself sees it; unchanged where no map tells. */
export function idInside(id: number, map: readonly IdRange[]): number {
  const range = map.find(({ outside, count }) => id >= outside && id < outside + count);
  return range === undefined ? id : range.inside + id - range.outside;
}

/** The id as the reader's namespace names it; undefined when the process's namespace has no such id, unchanged where there is no map. */
export function idOutside(id: number, map: readonly IdRange[]): number | undefined {
  if (map.length === 0) return id;
  const range = map.find(({ inside, count }) => id >= inside && id < inside + count);
  return range === undefined ? undefined : range.outside + id - range.inside;
}
