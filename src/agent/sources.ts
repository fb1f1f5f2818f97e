// A request names files where its client is; the engine of an agent finds them where they were uploaded to, and what it says of them is
// said of the client's again. Pure.
import { HotexecError } from '../errors.ts';
import type { AgentAnswer, AgentAsked } from '../protocol/agent.ts';
import { parseOwnLine } from '../protocol/own-line.ts';
import type { ProgramChange } from '../protocol/request.ts';

export interface Localized {
  readonly asked: AgentAsked;
  readonly translate: (answer: AgentAnswer) => AgentAnswer;
}

/** `paths`: the place of each upload by its source. Throws a HotexecError for a source that was not sent. */
export function localSources(asked: AgentAsked, paths: ReadonlyMap<string, string>): Localized {
  if (asked.kind !== 'restart' && asked.kind !== 'plan') return { asked, translate: (answer) => answer };
  const { replacement, files } = asked.program;
  const program: ProgramChange = {
    ...asked.program,
    replacement: replacement === null ? null : { ...replacement, source: pathOf(replacement.source, paths) },
    files: files.map((file) => Object.assign({}, file, { source: pathOf(file.source, paths) })),
  };
  return { asked: { ...asked, program }, translate: (answer) => withSources(answer, paths) };
}

function pathOf(source: string, paths: ReadonlyMap<string, string>): string {
  const path = paths.get(source);
  if (path !== undefined) return path;
  throw new HotexecError({
    code: 'usage',
    message: `${source} was named, and not sent to the agent. Nothing was touched.`,
    hint: null,
  });
}

/** In every text of it, however deep: the places are unique, nothing else is meant by them. */
function withSources(answer: AgentAnswer, paths: ReadonlyMap<string, string>): AgentAnswer {
  const text = [...paths].reduce(
    (changed, [source, path]) => changed.replaceAll(inJson(path), () => inJson(source)),
    JSON.stringify(answer),
  );
  return parseOwnLine<AgentAnswer>(text);
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
