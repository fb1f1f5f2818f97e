// node scripts/protos.ts: makes *_pb.js and *_pb.d.ts of each .proto, which are checked in. Run it after a .proto was changed; it
// needs protoc (Debian: protobuf-compiler). JavaScript and declarations, because TypeScript would have enums, which Node does not strip.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
// As @bufbuild/protobuf in package.json. It brings a TypeScript of its own, so it is no dependency of everybody's.
const generator = '@bufbuild/protoc-gen-es@2.17.0';

for (const proto of globSync('{src,tests}/**/*.proto', { cwd: root })) {
  const directory = dirname(proto);
  const options = ['--es_out', directory, '--es_opt', 'target=js+dts', '--proto_path', directory];
  const command = ['exec', '--yes', `--package=${generator}`, '--', 'protoc', ...options, proto];
  if (spawnSync('npm', command, { cwd: root, stdio: 'inherit' }).status !== 0) process.exit(1);
}
