// Lines that hotexec itself has written for itself: a front to its engine, an engine to its journal. What an engine answers is decoded by
// the front with care; this is for the way in, where the writer is the same build with the same rights.

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what its own other end writes
export function parseOwnLine<Line>(text: string): Line {
  return JSON.parse(text) as Line;
}
