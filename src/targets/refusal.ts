// What is thrown where a target is not found, or may not be touched.
import { HotexecError, type ErrorCode } from '../errors.ts';

/** Nothing was touched: it was only looked for. */
export function refusal(code: ErrorCode, message: string, hint: string | null): HotexecError {
  return new HotexecError({ code, message: `${message} Nothing was touched.`, hint });
}

/** Of a message that ends so, what is to be said where that need not be, or is not so any more. */
export function withoutUntouched(message: string): string {
  return message.replace(/ Nothing was touched\.$/, '');
}

/** For a rejection that must be one; anything else is a bug, and thrown. */
export function asHotexecError(reason: unknown): HotexecError {
  if (reason instanceof HotexecError) return reason;
  throw reason;
}
