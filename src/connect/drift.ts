// Where what runs in a container differs from what its pod says, told by the agent beside it: one is not put there for that.
import { HotexecError } from '../errors.ts';
import { newOperationId } from '../front/operation-id.ts';
import type { Drift } from '../protocol/inspection.ts';
import type { ClusterApi } from '../targets/kubernetes/api.ts';
import { openPresentAgent, type PresentAgent } from './pod-front.ts';

export interface AskingDrift {
  readonly api: ClusterApi;
  readonly version: string;
  readonly signal: AbortSignal;
}

export type DriftKind = Drift['kind'];

/** Null: the agent cannot tell: it is of another version, or has just ended. */
export async function driftOf(place: PresentAgent, asking: AskingDrift): Promise<readonly DriftKind[] | null> {
  const { signal } = asking;
  try {
    using front = openPresentAgent(place, asking);
    const asked = { operationId: newOperationId(), showEnvironment: false };
    const { drift } = await front.inspect(asked, { signal, onEvent: () => {} });
    return drift.map(({ kind }) => kind);
  } catch (error) {
    if (error instanceof HotexecError && error.code !== 'cancelled' && error.code !== 'bug') return null;
    throw error;
  }
}
