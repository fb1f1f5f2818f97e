import { HotexecError, type ErrorData } from '../../src/errors.ts';

/** What `attempt` refuses with. Anything else that it throws goes on. */
export function refusal(attempt: () => unknown): ErrorData {
  try {
    attempt();
  } catch (error) {
    if (error instanceof HotexecError) return error.toData();
    throw error;
  }
  throw new Error('it was not refused');
}
