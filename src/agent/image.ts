// The image of the agent: where it is found unless somebody says otherwise. The one place that knows.

const repository = 'ghcr.io/hotexec/hotexec-agent';

/** `--agent-image` and HOTEXEC_AGENT_IMAGE go before it. */
export function defaultAgentImage(version: string): string {
  return `${repository}:${version}`;
}
