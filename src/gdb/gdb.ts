// A gdb of our own, spoken to in its machine interface (GDB/MI): one command, one answer, and the stops of the program in between. Every
// wait has an end: a gdb that does not answer is killed, and from then on every call throws GdbEnded.
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { killChild, reapChild, startChild } from '../native/child.ts';
import { makePipe } from '../native/pipe.ts';
import { parseStat } from '../procfs/stat.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import { GdbEnded, GdbRefused } from './errors.ts';
import { oldestMajor, parseVersion, type GdbVersion } from './find.ts';
import { Lines } from './lines.ts';
import { parseMi, textIn, type MiRecord, type MiTuple } from './mi.ts';

const answerMs = 5_000;
const endMs = 2_000;

/** No start-up files: their settings may be others, and their commands anything. */
const args = ['-nx', '-nh', '-q', '--interpreter=mi3'];

export class Gdb implements Disposable {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: with the pid it names the process. */
  readonly startTicks: number;
  readonly #input: number;
  readonly #output: number;
  readonly #lines: Lines;
  readonly #stops: MiTuple[] = [];
  #token = 0;
  #ended: string | null = null;
  #closed = false;

  /** Throws GdbEnded when it cannot be started. */
  constructor(path: string) {
    const [toGdb, fromGdb] = [makePipe(), makePipe()];
    const env = { LC_ALL: 'C', TERM: 'dumb', PATH: '/usr/bin:/bin', HOME: '/' };
    const pid = startChild({ path, args, env, stdin: toGdb.reader, stdout: fromGdb.writer });
    closeSync(toGdb.reader);
    closeSync(fromGdb.writer);
    this.#input = toGdb.writer;
    this.#output = fromGdb.reader;
    this.#lines = new Lines(this.#output);
    this.pid = pid ?? 0;
    if (pid === undefined) {
      this.#close();
      throw new GdbEnded(`gdb (${path}) could not be started`);
    }
    this.startTicks = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).startTicks;
  }

  /** Null: it does not say, or is older than what is understood here. */
  version(): GdbVersion | null {
    let said = '';
    this.#ask('-gdb-version', (record) => {
      if (record.kind === 'console' && said === '') said = record.text;
    });
    const version = parseVersion(said);
    return version !== null && version.major >= oldestMajor ? version : null;
  }

  /** A command of the machine interface. Throws GdbRefused when gdb answers with an error, and GdbEnded. */
  ask(command: string): MiTuple {
    return this.#ask(command, () => {});
  }

  /** A command of the command line, as a person types it. */
  say(command: string): void {
    this.ask(`-interpreter-exec console ${quote(command)}`);
  }

  /** The program goes on; stops that it has made before are forgotten. */
  resume(): void {
    this.forgetStops();
    this.ask('-exec-continue');
  }

  forgetStops(): void {
    this.#stops.length = 0;
  }

  /**
   * Where it has stopped, as gdb tells it. Throws GdbEnded, after the deadline (performance.now() ms) too: a gdb that waits for the program
   * takes no command any more.
   */
  stopped(deadlineMs: number): MiTuple {
    for (;;) {
      const stop = this.#stops.shift();
      if (stop !== undefined) return stop;
      if (this.#read(deadlineMs) === null) throw this.#end('gdb told of no stop of the program in time');
    }
  }

  /** Ends it by force: what it traces is let go by the kernel, as it stands. */
  kill(why: string): void {
    this.#ended ??= why;
    if (this.#closed) return;
    killChild(this.pid);
    this.#close();
  }

  /** Asks it to end; one that does not is killed. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#ended ??= 'gdb was told to end';
    try {
      writeSync(this.#input, '-gdb-exit\n');
    } catch {
      // It has ended by itself.
    }
    this.#close();
  }

  #close(): void {
    this.#closed = true;
    closeSync(this.#input);
    closeSync(this.#output);
    if (this.pid === 0) return;
    const deadlineMs = performance.now() + endMs;
    while (!reapChild(this.pid)) {
      if (performance.now() > deadlineMs) killChild(this.pid);
      sleep(1_000_000);
    }
  }

  #ask(command: string, also: (record: MiRecord) => void): MiTuple {
    const token = ++this.#token;
    const deadlineMs = performance.now() + answerMs;
    this.#write(`${token}${command}\n`);
    for (;;) {
      const record = this.#read(deadlineMs);
      if (record === null) throw this.#end(`gdb did not answer ${wordOf(command)} within ${answerMs / 1000} s`);
      also(record);
      if (record.kind !== 'result' || record.token !== token) continue;
      if (record.class !== 'error') return record.fields;
      throw new GdbRefused(`${wordOf(command)}: ${textIn(record.fields, 'msg') ?? 'an error'}`);
    }
  }

  #write(text: string): void {
    if (this.#ended !== null) throw new GdbEnded(this.#ended);
    try {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length;) done += writeSync(this.#input, bytes, done);
    } catch {
      throw this.#end('gdb has ended');
    }
  }

  #read(deadlineMs: number): MiRecord | null {
    if (this.#ended !== null) throw new GdbEnded(this.#ended);
    const next = this.#lines.next(deadlineMs);
    if (next === 'timeout') return null;
    if (next === 'end') throw this.#end('gdb has ended');
    const record = parseMi(next.line);
    if (record.kind === 'exec' && record.class === 'stopped') this.#stops.push(record.fields);
    return record;
  }

  #end(why: string): GdbEnded {
    this.kill(why);
    return new GdbEnded(why);
  }
}

/** An argument of a command: a C string. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** A command without what it is about, which may be secret. */
function wordOf(command: string): string {
  return command.split(' ', 1)[0] ?? '';
}
