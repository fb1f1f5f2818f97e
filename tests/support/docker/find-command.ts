// Where PATH has a command.
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export async function findCommand(name: string): Promise<string> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  throw new Error(`no ${name} on PATH`);
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
