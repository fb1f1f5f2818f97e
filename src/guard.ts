// Standing by in a drain. The old program has no net then, and its sockets may be open in one engine alone: so that its death costs
// nothing, a second engine has them too, and takes over in a few milliseconds.
import { familyOf } from './engine/probation.ts';
import { HeldListeners, listServed } from './engine/handover/held-listeners.ts';
import type { Host } from './engine/host.ts';
import { observe } from './engine/observe.ts';
import type { EngineRequest } from './protocol/request.ts';

type GuardRequest = Extract<EngineRequest, { readonly kind: 'guard' }>;

/** Copies of all that the old program serves, or has served and the engine still holds. What cannot be had is not: guarding is no must. */
export function keepToo({ target, enginePid }: GuardRequest, host: Host): HeldListeners {
  try {
    return HeldListeners.keep(listServed([...familyOf(observe(target, host.ourselves)), enginePid]));
  } catch {
    // It is ending at this very moment.
    return HeldListeners.none();
  }
}
