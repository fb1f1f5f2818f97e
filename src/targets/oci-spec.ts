// config.json of the OCI runtime spec, as far as a fresh start is made of it. Unknown fields are passed over.
import * as v from 'valibot';
import type { ProgramSpec } from '../protocol/request.ts';
import { parseJson } from './parse-json.ts';

const strings = v.nullish(v.array(v.string()));

const ociSpec = v.object({
  process: v.nullish(
    v.object({
      terminal: v.nullish(v.boolean()),
      user: v.nullish(
        v.object({
          uid: v.nullish(v.number(), 0),
          gid: v.nullish(v.number(), 0),
          umask: v.nullish(v.number()),
          additionalGids: v.nullish(v.array(v.number()), []),
        }),
      ),
      args: strings,
      env: strings,
      cwd: v.nullish(v.string()),
      capabilities: v.nullish(
        v.object({ bounding: strings, effective: strings, permitted: strings, inheritable: strings, ambient: strings }),
      ),
      rlimits: v.nullish(v.array(v.object({ type: v.string(), hard: v.number(), soft: v.number() }))),
      noNewPrivileges: v.nullish(v.boolean()),
      oomScoreAdj: v.nullish(v.number()),
    }),
  ),
  linux: v.nullish(
    v.object({
      seccomp: v.nullish(v.looseObject({})),
      personality: v.nullish(v.object({ domain: v.nullish(v.string()) })),
    }),
  ),
});

/** Null: the text is not such a spec. */
export function parseOciSpec(text: string): ProgramSpec | null {
  const parsed = v.safeParse(ociSpec, parseJson(text));
  if (!parsed.success || !parsed.output.process) return null;
  const { process, linux } = parsed.output;
  const { user, capabilities } = process;
  return {
    source: 'bundle',
    args: process.args ?? null,
    env: process.env ?? null,
    cwd: process.cwd ?? null,
    user: user ? { ...user, umask: user.umask ?? null } : null,
    terminal: process.terminal ?? false,
    noNewPrivileges: process.noNewPrivileges ?? false,
    oomScoreAdj: process.oomScoreAdj ?? null,
    capabilities: {
      bounding: capabilities?.bounding ?? [],
      effective: capabilities?.effective ?? [],
      permitted: capabilities?.permitted ?? [],
      inheritable: capabilities?.inheritable ?? [],
      ambient: capabilities?.ambient ?? [],
    },
    rlimits: process.rlimits ?? null,
    seccomp: Boolean(linux?.seccomp),
    personality: linux?.personality?.domain ?? null,
    stopSignal: null,
    stopTimeoutSeconds: null,
  };
}
