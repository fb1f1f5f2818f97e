// Several runtimes at once: opened together, closed together.
import { openRuntime, type RuntimeApi } from './api.ts';
import type { RuntimeEndpoint } from './endpoint.ts';

export async function withRuntimes<Result>(
  { endpoints, signal }: { readonly endpoints: readonly RuntimeEndpoint[]; readonly signal: AbortSignal | undefined },
  use: (apis: readonly RuntimeApi[]) => Promise<Result>,
): Promise<Result> {
  const apis = await Promise.all(endpoints.map((endpoint) => openRuntime(endpoint, signal)));
  try {
    return await use(apis);
  } finally {
    for (const api of apis) api[Symbol.dispose]();
  }
}
