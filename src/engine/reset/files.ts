// Working directory, umask, and the flags of the standard streams.
import { O_NONBLOCK } from '../../procfs/fdinfo.ts';
import { descriptorTarget, listDescriptors } from '../descriptors.ts';
import { attempt, report, type Reset } from './context.ts';

const F_SETFL = 4;
const O_ASYNC = 0o20000;
const O_APPEND = 0o2000;
const defaultUmask = 0o022;

export function resetFiles(reset: Reset): void {
  const { held, observed, status, inContainer } = reset;
  const spec = observed.target.spec;
  const umask = spec?.user?.umask ?? defaultUmask;
  if (inContainer && status.umask !== undefined && status.umask !== umask && !attempt(reset, 'umask', umask)) {
    report(reset, 'umask', `the umask stays 0${status.umask.toString(8)}`);
  }
  changeDirectory(reset);
  if (!inContainer) return;
  for (const entry of listDescriptors(held.tracee.tid).filter((descriptor) => descriptor.fd <= 2)) {
    // Pipes and devices keep O_NONBLOCK on the description, which the runtime's end does not share.
    const wanted = entry.statusFlags & ~(O_NONBLOCK | O_ASYNC | O_APPEND);
    const target = descriptorTarget(held.tracee.tid, entry.fd) ?? '';
    if (!/^(pipe:|socket:|\/dev\/)/.test(target) || wanted === entry.statusFlags) continue;
    if (!attempt(reset, 'fcntl', entry.fd, F_SETFL, wanted))
      report(reset, `descriptor-${entry.fd}`, `descriptor ${entry.fd} stays non-blocking`);
  }
}

function changeDirectory(reset: Reset): void {
  const { cwd, observed, held, room } = reset;
  if (cwd === null || cwd === observed.program.cwd) return;
  const path = Buffer.from(`${cwd}\0`);
  const area = path.length <= 256 ? room : room - 8192n;
  const done = held.thread.write(area, path) >= 0 && attempt(reset, 'chdir', area);
  held.thread.write(area, Buffer.alloc(path.length));
  if (!done)
    report(reset, 'cwd', `the working directory stays ${observed.program.cwd}: it could not be changed to ${cwd}`);
}
