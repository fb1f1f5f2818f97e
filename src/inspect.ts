// `hotexec inspect`: what runs in the target and whether it can be restarted here. Reads only.
import type { Host } from './engine/host.ts';
import type { Inspection } from './protocol/inspection.ts';
import type { EngineRequest } from './protocol/request.ts';

export type InspectRequest = Extract<EngineRequest, { readonly kind: 'inspect' }>;

export function inspect(_request: InspectRequest, _host: Host): Inspection {
  throw new Error('not yet');
}
