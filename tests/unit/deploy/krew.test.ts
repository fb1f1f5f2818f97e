// The manifest for krew, against what krew asks of one (sigs.k8s.io/krew, internal/index/validation and internal/installation/move.go), and against what
// the archive has that it names.
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { loadYaml } from '@kubernetes/client-node/dist/yaml.js';
import { expect, it } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../../..');

interface Plugin {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly version: string;
    readonly shortDescription: string;
    readonly homepage: string;
    readonly platforms: readonly Platform[];
  };
}

interface Platform {
  readonly selector: { readonly matchExpressions: readonly { readonly key: string; readonly operator: string }[] };
  readonly uri: string;
  readonly sha256: string;
  readonly bin: string;
  readonly files: readonly { readonly from: string; readonly to: string }[];
}

/** As a release fills it in. */
const plugin = loadYaml<Plugin>(
  readFileSync(join(root, 'deploy/krew.yaml'), 'utf8').replaceAll('VERSION', manifest.version),
);

it('is of the version of krew and of hotexec, and says in one line what it does', () => {
  expect(plugin).toMatchObject({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'hotexec' },
    spec: { version: `v${manifest.version}` },
  });
  expect(plugin.spec.version).toMatch(/^v\d+\.\d+\.\d+(?:-[\w.]+)?$/);
  expect(plugin.spec.shortDescription).toMatch(/^[^\n]{1,80}$/);
});

it.each(plugin.spec.platforms)(
  'names an archive, its digest and the program in it: $uri',
  ({ selector, ...platform }) => {
    expect(platform.uri).toMatch(/^https:\/\/\S+\.tar\.gz$/);
    expect(platform.uri).toContain(manifest.version);
    expect(platform.sha256).toMatch(/^[a-f0-9]{64}$/);
    expect(selector.matchExpressions.map(({ key, operator }) => [key, operator])).toEqual([['os', 'In']]);
    for (const { to } of platform.files) expect(normalize(to)).toBe(to);
  },
);

it('takes from the archive all that the program needs', () => {
  // npm packs package.json whatever `files` says.
  const packed = [...manifest.files, 'package.json'].map((file) => `package/${file}`);
  for (const { bin, files } of plugin.spec.platforms) {
    expect(packed).toEqual(expect.arrayContaining(files.map(({ from }) => from)));
    expect(bin).toBe(`package/${manifest.bin['kubectl-hotexec']}`);
    // Else Node would have to guess which of its files are modules.
    const places = files.map(({ to }) => to);
    expect(places).toEqual(expect.arrayContaining([dirname(bin), 'package/package.json']));
  }
});
