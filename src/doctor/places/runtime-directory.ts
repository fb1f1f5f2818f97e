// The directory of journals: without one no restart begins, since nobody could mend it.
import { dirname } from 'node:path';
import { blocked, yes, type Finding, type Place } from '../finding.ts';
import type { Machine } from '../machine.ts';
import type { Self } from '../self.ts';

const subject = 'journal';

export const runtimeDirectory: Place = (machine, self) => {
  const path = pathOf(machine, self);
  const facts = machine.stat(path);
  if (facts.kind === 'ok') return [judge(path, machine, self)];
  if (facts.errno !== 'ENOENT') return [unwritable(path, facts.errno)];
  const parent = machine.mayWrite(nearest(dirname(path), machine));
  return [
    parent.kind === 'ok' ? yes(subject, `${path} will be made at the first restart`) : unwritable(path, parent.errno),
  ];
};

/** As the engine chooses it (runtimeDirectory in src/journal/journal.ts). */
function pathOf({ env }: Machine, { uid }: Self): string {
  const named = env['HOTEXEC_RUNTIME_DIR'];
  if (named !== undefined && named !== '') return named;
  if (uid === 0) return '/run/hotexec';
  const ofUser = env['XDG_RUNTIME_DIR'];
  return ofUser !== undefined && ofUser !== '' ? `${ofUser}/hotexec` : `/tmp/hotexec-${uid}`;
}

function judge(path: string, machine: Machine, { uid }: Self): Finding {
  const facts = machine.stat(path);
  const writable = machine.mayWrite(path);
  if (
    facts.kind === 'ok' &&
    (facts.value.uid !== uid || (facts.value.mode & 0o022) !== 0 || !facts.value.isDirectory)
  ) {
    const mode = facts.value.mode.toString(8).padStart(4, '0');
    return blocked(
      subject,
      `${path} must be a directory that only you may write to; it belongs to uid ${facts.value.uid}, with mode ${mode}`,
      `rm -r ${path}, or name another directory in HOTEXEC_RUNTIME_DIR`,
    );
  }
  return writable.kind === 'ok' ? yes(subject, `${path} is there and writable`) : unwritable(path, writable.errno);
}

/** The engine makes missing parents too. */
function nearest(path: string, machine: Machine): string {
  if (path === dirname(path) || machine.stat(path).kind === 'ok') return path;
  return nearest(dirname(path), machine);
}

function unwritable(path: string, errno: string): Finding {
  return blocked(
    subject,
    `${path} cannot be written: ${errno}`,
    'name a private, writable directory in HOTEXEC_RUNTIME_DIR',
  );
}
