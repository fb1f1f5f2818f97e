// What the linter holds: correctness with types, the direction of imports, and the house rules.
import { defineConfig, type OxlintConfig, type OxlintOverride } from 'oxlint';

// Each folder may use those below it, never above, and the two halves use nothing of each other. In front of the colon of
// each line: the folder; behind it: all it may use besides itself.
const shared = ['protocol', 'errors'];
const parsers = ['procfs', 'elf', 'arch'];
const front = ['agent', 'targets', 'front', ...parsers, ...shared];
const lowEngine = [...parsers, 'native', ...shared];
const mayImport: Readonly<Record<string, readonly string[]>> = {
  cli: ['demo', 'doctor', 'watch', 'rollout', 'connect', 'index', ...front],
  demo: ['doctor', 'watch', 'rollout', 'index', ...front],
  doctor: ['native', ...front],
  watch: ['rollout', 'connect', ...front],
  rollout: ['connect', ...front],
  connect: front,
  agent: ['targets', 'front', ...parsers, ...shared],
  targets: ['front', ...parsers, ...shared],
  front: [...parsers, ...shared],
  index: ['rollout', 'watch', 'connect', ...front],

  'engine-main': [
    'restart',
    'inspect',
    'mend',
    'guard',
    'show-plan',
    'show-history',
    'engine',
    'journal',
    'history',
    'rootfs',
    'remote',
    'gdb',
    'tracer',
    ...lowEngine,
  ],
  restart: ['engine', 'journal', 'history', 'rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  inspect: ['engine', 'journal', 'history', 'rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  'show-plan': ['engine', 'journal', 'history', 'rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  'show-history': ['engine', 'journal', 'history', 'rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  guard: ['engine', 'journal', 'history', 'rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  mend: ['restart', 'engine', 'journal', 'history', 'rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  engine: ['journal', 'history', 'rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  journal: ['history', 'rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  history: ['rootfs', 'remote', 'gdb', 'tracer', ...lowEngine],
  rootfs: ['remote', 'tracer', ...lowEngine],
  remote: ['tracer', ...lowEngine],
  gdb: ['tracer', ...lowEngine],
  tracer: lowEngine,
  procfs: ['elf', 'arch', ...shared],
  elf: ['arch', ...shared],
  arch: shared,
  native: ['arch', ...shared],
  protocol: ['errors'],
  errors: ['protocol'],
};
const folders = Object.keys(mayImport);

const foreign = {
  koffi: { group: ['koffi'], message: 'Only src/native/ knows FFI.' },
  process: { group: ['process', 'node:process'], message: 'Only src/cli/ and the entry points know process.' },
};

// What lies in a folder says ../ to what lies beside that; ./restart.ts in src/cli/ is its own.
const layers = (folder: string): readonly OxlintOverride[] => [
  layer(folder, { files: `src/${folder}.ts`, up: String.raw`\./` }),
  layer(folder, { files: `src/${folder}/**/*.ts`, up: String.raw`\.\./` }),
];

function layer(folder: string, { files, up }: { readonly files: string; readonly up: string }): OxlintOverride {
  const forbidden = folders.filter((other) => other !== folder && !mayImport[folder]?.includes(other));
  const above = {
    regex: `^${up}(?:\\.\\./)*(?:${forbidden.join('|')})(?:\\.ts$|/)`,
    message: `src/${folder} may import only what is below it (see oxlint.config.ts and docs/architecture.md).`,
  };
  const others = Object.entries(foreign).filter(([name]) => !mayKnow(folder, name));
  const patterns = [above, ...others.map(([, pattern]) => pattern)];
  return {
    files: [files],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

function mayKnow(folder: string, name: string): boolean {
  return name === 'koffi' ? folder === 'native' : ['cli', 'engine-main', 'index', 'native'].includes(folder);
}

const config: OxlintConfig = defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise', 'node', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  ignorePatterns: ['dist/**', 'coverage/**', '**/*_pb.js', '**/*_pb.d.ts'],
  rules: {
    // Types
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-deprecated': 'error',
    'typescript/prefer-readonly': 'error',
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/use-unknown-in-catch-callback-variable': 'error',

    // Shape
    'max-params': ['error', { max: 3 }],
    'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    'import/no-cycle': 'error',
    'no-console': 'error',
    'no-restricted-globals': [
      'error',
      { name: 'process', message: 'Only src/cli/ and the entry points know process.' },
    ],
    eqeqeq: 'error',
    // The second argument is what a failure says.
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'vitest/expect-expect': ['error', { assertFunctionNames: ['expect', 'expect*', 'fc.assert'] }],

    // The kernel is used one step at a time: awaiting in a loop is what is meant.
    'no-await-in-loop': 'off',
    'import/no-unassigned-import': 'off',
    'import/no-named-as-default-member': 'off',
    'no-underscore-dangle': 'off',
    // The compiler's noImplicitReturns says the same, and knows that a switch over a closed union is exhaustive.
    'typescript/consistent-return': 'off',
    // Flags of the kernel are bits.
    'no-bitwise': 'off',
  },
  overrides: [
    ...folders.flatMap(layers),
    {
      files: [
        'src/cli/**',
        'src/engine-main.ts',
        'src/precompiled.ts',
        'src/native/**',
        'scripts/**',
        'deploy/**',
        'bench/**',
        'tests/**',
        '*.config.ts',
      ],
      rules: { 'no-restricted-globals': 'off' },
    },
    // They follow ptrace(2), process_vm_readv(2) and other calls of many arguments.
    { files: ['src/tracer/**', 'src/remote/**'], rules: { 'max-params': 'off' } },
    {
      files: ['src/protocol/own-line.ts', 'src/precompiled.ts'],
      rules: { 'typescript/consistent-type-assertions': 'off', 'typescript/no-unsafe-type-assertion': 'off' },
    },
    {
      files: ['src/native/**'],
      rules: {
        'max-params': 'off',
        'typescript/consistent-type-assertions': 'off',
        'typescript/no-unsafe-type-assertion': 'off',
      },
    },
    {
      files: ['scripts/**', 'deploy/**', 'bench/**', 'tests/**', '*.config.ts'],
      rules: {
        'no-console': 'off',
        'typescript/consistent-type-assertions': 'off',
        'typescript/no-unsafe-type-assertion': 'off',
      },
    },
    // Plain JavaScript that runs before there is anything to check it with.
    {
      files: ['scripts/*.mjs', 'tests/fixtures/**/*.mjs'],
      rules: {
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-unsafe-call': 'off',
        'typescript/no-unsafe-return': 'off',
      },
    },
  ],
});

export default config;
