// What this machine's /proc tells about a process of a container.
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';

/** Field N of /proc/PID/stat as proc(5) counts; the name may hold blanks and brackets. */
export async function statField(pid: number, field: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[field - 3] ?? '';
}

export async function startTicks(pid: number): Promise<number> {
  return Number(await statField(pid, 22));
}

/** Another value after each execve: addresses that the kernel chooses at random then. */
export async function executionOf(pid: number): Promise<string> {
  return createHash('sha256')
    .update(await readFile(`/proc/${pid}/auxv`))
    .digest('hex');
}

export async function statusOf(pid: number): Promise<Map<string, string>> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return new Map([...status.matchAll(/^(\w+):[ \t]*(.*?)[ \t]*$/gm)].map(([, name = '', value = '']) => [name, value]));
}

/** Of all its threads, zombies included. */
export async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = threads.map(async (tid) => await readFile(`/proc/${pid}/task/${tid}/children`, 'utf8').catch(ifGone));
  return (await Promise.all(lists))
    .flatMap((list) => list.split(' ').filter(Boolean).map(Number))
    .toSorted((a, b) => a - b);
}

/** The children of the children too. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid).catch(() => []);
  const below = await Promise.all(children.map(descendantsOf));
  return [...children, ...below.flat()];
}

export async function nameOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8')).trimEnd();
}

/** What it was started with; nothing of one that has ended. */
export async function commandOf(pid: number): Promise<string[]> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return words.split('\0').slice(0, -1);
}

/** The pid that the process has in its own namespace. */
export async function innerPid(pid: number): Promise<number> {
  return Number((await statusOf(pid)).get('NSpid')?.split(/\s+/).at(-1));
}

/** Descriptor → what it points to. */
export async function descriptorsOf(pid: number): Promise<Map<number, string>> {
  const numbers = await readdir(`/proc/${pid}/fd`);
  const links = numbers.map(async (fd) => [Number(fd), await readlink(`/proc/${pid}/fd/${fd}`).catch(ifGone)] as const);
  return new Map((await Promise.all(links)).toSorted(([a], [b]) => a - b));
}

/** The namespaces, which belong to the container and stay. */
export async function namespacesOf(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/ns`);
  return await Promise.all(names.map(async (name) => await readlink(`/proc/${pid}/ns/${name}`)));
}

// A thread may end, a descriptor be closed, while we read.
function ifGone(error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
  return '';
}
