// What the places of a cluster look at, and what they find: the API server, who is asking, and what is named.
import { HotexecError } from '../../errors.ts';
import type { AgentChoice } from '../../targets/kubernetes/agent.ts';
import type { ClusterApi } from '../../targets/kubernetes/api.ts';
import type { Server } from '../../targets/kubernetes/server.ts';
import type { Who } from '../../targets/kubernetes/who.ts';
import type { ClusterTarget } from '../../targets/target.ts';
import { blocked, type Finding } from '../finding.ts';

export interface ClusterAsked {
  readonly api: ClusterApi;
  /** Null: the namespace as a whole. */
  readonly target: ClusterTarget | null;
  /** Of `-c`; null: whichever is meant without it. */
  readonly container: string | null;
  readonly agent: {
    readonly version: string;
    readonly choice: AgentChoice;
    readonly defaultImage: string;
  };
}

export interface ClusterSeen extends ClusterAsked {
  readonly server: Server;
  /** Null: the server does not tell. */
  readonly who: Who | null;
}

/** A place to look at in a cluster. */
export type ClusterPlace = (cluster: ClusterSeen) => readonly Finding[] | Promise<readonly Finding[]>;

/** What an error says is a finding here. Bad usage and a cancel are none: they are thrown. */
export function blockedBy(error: unknown, subject: string, wayOut: string): Finding {
  if (!(error instanceof HotexecError) || error.code === 'usage' || error.code === 'cancelled') throw error;
  const meaning = withoutUsual(error.message);
  const hint = error.details['role'] === undefined ? error.hint : null;
  return blocked(subject, meaning, hint?.replace(/\.$/, '') ?? wayOut);
}

/** That nothing was touched need not be said by a doctor; and its sentences have no end. */
export function withoutUsual(message: string): string {
  return message.replace(/ Nothing was touched\./, '').replace(/\.$/, '');
}
