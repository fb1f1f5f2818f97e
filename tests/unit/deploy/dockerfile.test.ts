// The two ways to the agent's image say the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { imageConfig } from '../../../deploy/root.ts';

it('the Dockerfile starts what the image without Docker starts, in the same environment', () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../../deploy/Dockerfile'), 'utf8');
  expect(dockerfile).toContain(`ENTRYPOINT ${JSON.stringify(imageConfig.Entrypoint).replaceAll(',', ', ')}`);
  expect(dockerfile).toContain(`ENV ${imageConfig.Env.join(' ')}`);
  expect(dockerfile).toContain(`WORKDIR ${imageConfig.WorkingDir}`);
});
