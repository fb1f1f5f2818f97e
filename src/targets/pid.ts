// pid/1234: what /proc and the runtime's shim tell about a process.
import { HotexecError } from '../errors.ts';
import type { TargetProcess } from '../protocol/request.ts';
import { identify } from './identity.ts';
import type { ResolveContext } from './resolve.ts';
import { formatTarget, type Target } from './target.ts';

export function resolvePid(target: Extract<Target, { readonly kind: 'pid' }>, context: ResolveContext): TargetProcess {
  const { pid } = target;
  const name = formatTarget(target);
  const found = identify(pid, context.proc);
  if (found === null) {
    const message = `${name}: there is no process ${pid} here, or /proc hides it from this user.`;
    throw new HotexecError({
      code: 'target-not-found',
      message,
      hint: 'ps -e lists them; sudo shows the hidden ones.',
    });
  }
  const { startTicks, container, spec } = found;
  return { name, pid, startTicks, container: container && { ...container, name: null }, spec };
}
