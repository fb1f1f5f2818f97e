// The version of this hotexec, from package.json; the bundle has it inside.
import manifest from '../../package.json' with { type: 'json' };

export const version: string = manifest.version;
