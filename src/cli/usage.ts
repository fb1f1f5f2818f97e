// Errors of the command line itself: nothing was looked at.
import { HotexecError } from '../errors.ts';

export function usageError(message: string, hint: string | null = null): HotexecError {
  return new HotexecError({ code: 'usage', message, hint });
}
