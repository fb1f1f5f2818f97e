// Where the records of the programs that ran are: the engine writes them there, the front takes away those of containers that are gone.
import { homedir } from 'node:os';
import { join } from 'node:path';

/** HOTEXEC_STATE_DIR, /var/lib/hotexec for root, $XDG_STATE_HOME/hotexec, else ~/.local/state/hotexec; always mode 0700. It survives a reboot. */
export function stateDirectory(environment: Readonly<Record<string, string | undefined>>, uid: number): string {
  const named = environment['HOTEXEC_STATE_DIR'];
  if (named !== undefined && named !== '') return named;
  if (uid === 0) return '/var/lib/hotexec';
  const xdg = environment['XDG_STATE_HOME'];
  // The specification has relative paths passed over.
  if (xdg?.startsWith('/') === true) return join(xdg, 'hotexec');
  const home = environment['HOME'];
  return join(home?.startsWith('/') === true ? home : homedir(), '.local/state/hotexec');
}
