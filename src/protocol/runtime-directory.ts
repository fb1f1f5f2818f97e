// Where journals are: the engine writes them there, the doctor looks whether it can.
import { join } from 'node:path';

/** The directory of journals: HOTEXEC_RUNTIME_DIR, /run/hotexec for root, $XDG_RUNTIME_DIR/hotexec, else one in /tmp; always mode 0700. */
export function runtimeDirectory(environment: Readonly<Record<string, string | undefined>>, uid: number): string {
  const named = environment['HOTEXEC_RUNTIME_DIR'];
  if (named !== undefined && named !== '') return named;
  if (uid === 0) return '/run/hotexec';
  const xdg = environment['XDG_RUNTIME_DIR'];
  return xdg !== undefined && xdg !== '' ? join(xdg, 'hotexec') : `/tmp/hotexec-${uid}`;
}
