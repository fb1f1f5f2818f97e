// Where the agent has its things; the relay finds its socket there.
import { join } from 'node:path';

export function agentSocket(runtimeDirectory: string): string {
  return join(runtimeDirectory, 'agent.sock');
}

export function uploadDirectory(runtimeDirectory: string): string {
  return join(runtimeDirectory, 'uploads');
}
