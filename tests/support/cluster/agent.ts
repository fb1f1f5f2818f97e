// hotexec told to use the agent's image of this build.
import { beforeAll } from 'vitest';
import { agentImage } from './agent-image.ts';
import { missingParts } from './machine/parts.ts';

/** Before the tests of a file: whatever runs hotexec then puts this agent into pods. */
export function agentForTests(): void {
  beforeAll(async () => {
    // needs('cluster') says so in each test.
    if (missingParts().length === 0) process.env['HOTEXEC_AGENT_IMAGE'] = await agentImage();
  });
}
