import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Descriptor } from '../../../src/engine/descriptors.ts';
import { gdbScript, type ScriptInput } from '../../../src/engine/gdb-script/script.ts';
import { literal } from '../../../src/engine/gdb-script/line.ts';
import { placeWords } from '../../../src/engine/gdb-script/place-words.ts';
import type { Program } from '../../../src/engine/program.ts';
import { defaultRestartOptions } from '../../../src/protocol/request.ts';
import { observedProcess, overwritten, unplanned, words, type Differences } from './observed.ts';

const program: Program = {
  path: Buffer.from('/usr/sbin/nginx'),
  argv: ['nginx', '-g', 'daemon off;'].map((word) => Buffer.from(word)),
  environment: ['PATH=/usr/sbin:/usr/bin', 'HOSTNAME=3f9a0c1d2e4b'].map((word) => Buffer.from(word)),
  cwd: null,
  memory: null,
};
const scratch = 0x1000_0000_0000n;

function input(given: Partial<ScriptInput> = {}, observed: Differences = {}): ScriptInput {
  return {
    observed: observedProcess(observed),
    plan: unplanned,
    program,
    options: defaultRestartOptions,
    instruction: 0x7fff_0000_0927n,
    vdso: 0x7fff_0000_0000n,
    scratch,
    showEnvironment: false,
    ...given,
  };
}

/** Words as a process may have them: without a NUL. */
const word = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)));
const wordList = fc.array(word, { maxLength: 6 });

const descriptor = (fd: number, closeOnExec: boolean): Descriptor => ({
  fd,
  closeOnExec,
  nonBlocking: false,
  statusFlags: 0,
});

function refused(given: Partial<ScriptInput>, observed: Differences = {}): unknown {
  try {
    return gdbScript(input(given, observed));
  } catch (error) {
    return error;
  }
}

describe('a gdb script', () => {
  it('is printable ASCII, and each line is a comment or one of the few commands it is made of, whatever words there are', () => {
    const known =
      /^(?:#.*|shell (?:read|kill) .*|(?:if|while) \$[\w$=! &]+.*|if \*.*|while \*.*|end|echo [\w ,.:;()-]+\\n|quit 1|detach|set [\w$]+.*|maint set target-async off|handle (?:all|SIGINT) nostop noprint pass|attach \d+|catch (?:syscall|exec)|define \w+|save_registers|restore_registers|give_up|(?:enter_call|system_call) [-\w$ +]+|continue|printf "\w+ = %ld\\n", (?:\(long\)\$rax|\$result)|)$/;
    fc.assert(
      fc.property(
        fc.record({ path: word, argv: wordList, environment: wordList }),
        fc.boolean(),
        (given, showEnvironment) => {
          const text = gdbScript(input({ program: { ...program, ...given }, showEnvironment }));
          expect(text).toMatch(/^[\n\x20-\x7e]*$/);
          for (const line of text.split('\n').map((one) => one.trim())) expect(line).toMatch(known);
        },
      ),
    );
  });

  it('says names of variables, and their values only when it is asked to', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{8,20}\d{4}$/), fc.boolean(), (value, known) => {
        const environment = [Buffer.from(`SECRET=${value}`)];
        const running = known ? { program: { environ: words(`SECRET=${value}`) } } : {};
        const masked = gdbScript(input({ program: { ...program, environment } }, running));
        expect(masked).not.toContain(value);
        expect(masked).toContain('SECRET=...');
        expect(/^quit 1$/m.test(masked)).toBe(!known);
        const open = gdbScript(input({ program: { ...program, environment }, showEnvironment: true }, running));
        expect(open).toContain(value);
        expect(open).not.toMatch(/^quit 1$/m);
      }),
    );
  });

  it('is refused where it could not do what the plan does', () => {
    const code = { code: 'script-impossible' };
    expect(refused({ vdso: null })).toMatchObject(code);
    expect(refused({ instruction: 0x40_0000n })).toMatchObject(code);
    expect(refused({ program: { ...program, memory: { kind: 'running' } } })).toMatchObject(code);
    expect(refused({}, { tid: 4712 })).toMatchObject(code);
    expect(refused({}, { stat: { ...observedProcess().stat, state: 'T' } })).toMatchObject(code);
  });

  it('closes nothing that stays, and takes close-on-exec from the standard streams', () => {
    const descriptors = [descriptor(1, true), descriptor(3, false), descriptor(7, false)];
    const text = gdbScript(input({ plan: { ...unplanned, keepFds: [7] } }, { descriptors }));
    expect(text).toContain('system_call 72 1 2 0 0 0 0');
    expect(text).toContain('system_call 72 3 2 1 0 0 0');
    expect(text).not.toContain('close_range');
    expect(text).not.toMatch(/system_call 72 7 /);
  });
});

describe('the strings of the new program', () => {
  it('are used where they stand, or written apart from each other into the scratch memory', () => {
    fc.assert(
      fc.property(wordList, wordList, wordList, (running, kept, added) => {
        const argv = [...running.slice(0, 2), ...kept, ...added];
        const observed = observedProcess({ program: { argv: words(...running) } });
        const stat = { ...observed.stat, argStart: 0x7ffe_0000_0000n };
        const placed = placeWords({ ...program, argv }, { ...observed, stat }, scratch);
        const old = Buffer.concat(running.flatMap((one) => [one, Buffer.of(0)]));
        const written = [placed.path, ...placed.argv, ...placed.environment].filter((one) => one.inPlace === null);
        for (const one of placed.argv.filter(({ inPlace }) => inPlace !== null)) {
          const at = Number(one.address - stat.argStart);
          expect(old.subarray(at, at + one.bytes.length + 1)).toEqual(Buffer.concat([one.bytes, Buffer.of(0)]));
        }
        let free = placed.envpTable + 8n * BigInt(placed.environment.length + 1);
        for (const one of written) {
          expect(one.address).toBe(free);
          free += BigInt(one.bytes.length + 1);
        }
        expect(free - scratch).toBeLessThanOrEqual(BigInt(placed.sizeBytes));
      }),
    );
  });

  it('are all written where the process has overwritten its own', () => {
    const observed = observedProcess({ program: { argv: overwritten, environ: overwritten } });
    const { argv, environment } = placeWords(program, observed, scratch);
    expect([...argv, ...environment].map(({ inPlace }) => inPlace)).toEqual([null, null, null, null, null]);
  });

  it('are C literals that say the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const back = literal(Buffer.from(bytes))
          .slice(1, -1)
          .replaceAll(/\\(\d{3}|.)/g, (_, code: string) =>
            code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
          );
        expect(Buffer.from(back, 'latin1')).toEqual(Buffer.from(bytes));
      }),
    );
  });
});
