// JSON of somebody else: what is none is as good as nothing.

/** Undefined: there is none, or it cannot be read. */
export function parseJson(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
