// The sentences with which a file is refused before anything is touched.
import { HotexecError } from '../../errors.ts';

/** A word of the request, or a file that it names, makes no sense. */
export function misused(message: string, hint: string | null): HotexecError {
  return new HotexecError({ code: 'usage', message: `${message}. Nothing was touched.`, hint });
}

/** It may not be brought there. */
export function refused(message: string, hint: string | null): HotexecError {
  return new HotexecError({
    code: 'file-refused',
    message: `${message}. Nothing was touched; the old program runs on unchanged.`,
    hint,
  });
}
