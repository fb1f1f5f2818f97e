// One line of what gdb says in its machine interface: GDB manual, "GDB/MI Output Syntax". Pure, and total: a line that is none of gdb's (the
// program's own output can come between) is `unknown`. A character stands for a byte; texts come back as UTF-8.

/** A value: a string, a list, or a tuple of named values. The names inside of a list are left out: all are the same. */
export type MiValue = string | readonly MiValue[] | MiTuple;
export type MiTuple = ReadonlyMap<string, MiValue>;

export type MiRecord =
  /** The answer to a command: `done`, `running`, `connected`, `error`, `exit`. */
  | { readonly kind: 'result'; readonly token: number | null; readonly class: string; readonly fields: MiTuple }
  /** What became of the program (`exec`: running, stopped), how a long work goes on (`status`), what else there is to know (`notify`). */
  | {
      readonly kind: 'exec' | 'status' | 'notify';
      readonly token: number | null;
      readonly class: string;
      readonly fields: MiTuple;
    }
  /** Text: what a command of the command line prints, what the program prints, what gdb notes for itself. */
  | { readonly kind: 'console' | 'target' | 'log'; readonly text: string }
  | { readonly kind: 'prompt' }
  | { readonly kind: 'unknown'; readonly text: string };

const deepest = 32;

const records = { '^': 'result', '*': 'exec', '+': 'status', '=': 'notify' } as const;
const streams = { '~': 'console', '@': 'target', '&': 'log' } as const;

/** `line`: without its line break. */
export function parseMi(line: string): MiRecord {
  if (/^\(gdb\) ?$/.test(line)) return { kind: 'prompt' };
  return parseRecord(line) ?? parseStream(line) ?? { kind: 'unknown', text: utf8(line) };
}

function parseRecord(line: string): MiRecord | undefined {
  const head = /^(\d{0,15})([*+=^])([\w-]+)/.exec(line);
  if (head === null) return undefined;
  const [all, token = '', sign = '', name = ''] = head;
  const reader = new Reader(line, all.length);
  const fields = reader.fields();
  if (fields === undefined || !reader.atEnd || !isKey(records, sign)) return undefined;
  return { kind: records[sign], token: token === '' ? null : Number(token), class: name, fields };
}

function parseStream(line: string): MiRecord | undefined {
  const sign = line.charAt(0);
  if (!isKey(streams, sign)) return undefined;
  const reader = new Reader(line, 1);
  const text = reader.text();
  return text === undefined || !reader.atEnd ? undefined : { kind: streams[sign], text };
}

function isKey<Key extends string>(table: Readonly<Record<Key, unknown>>, key: string): key is Key {
  return Object.hasOwn(table, key);
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Reads along a line. Each method reads one thing, or answers undefined where that is not there. */
class Reader {
  readonly #line: string;
  #at: number;
  #depth = 0;

  constructor(line: string, at: number) {
    this.#line = line;
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at === this.#line.length;
  }

  /** What stands behind the class of a record: each with a comma in front. */
  fields(): MiTuple | undefined {
    const fields = new Map<string, MiValue>();
    while (this.#skip(',')) if (!this.#field(fields)) return undefined;
    return fields;
  }

  text(): string | undefined {
    if (!this.#skip('"')) return undefined;
    let bytes = '';
    for (;;) {
      const plain = this.#take(/[^"\\]+/y);
      if (plain !== undefined) bytes += plain;
      else if (this.#skip('"')) return utf8(bytes);
      else {
        const escaped = this.#escape();
        if (escaped === undefined) return undefined;
        bytes += escaped;
      }
    }
  }

  #escape(): string | undefined {
    if (!this.#skip('\\')) return undefined;
    const octal = this.#take(/[0-3]?[0-7]{1,2}/y);
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const character = this.#take(/[^]/y);
    return character === undefined ? undefined : (escapes[character] ?? character);
  }

  /** name=value. A second place of a breakpoint comes without a name (gdb before 13): there is nothing to find it by. */
  #field(fields: Map<string, MiValue>): boolean {
    const name = this.#name();
    const value = this.#value();
    if (value === undefined) return false;
    if (name !== undefined) fields.set(name, value);
    return true;
  }

  #name(): string | undefined {
    const name = this.#take(/[\w.-]+(?==)/y);
    if (name !== undefined) this.#at++;
    return name;
  }

  #value(): MiValue | undefined {
    switch (this.#line.charAt(this.#at)) {
      case '"':
        return this.text();
      case '{':
        return this.#nested(() => this.#tuple());
      case '[':
        return this.#nested(() => this.#list());
      default:
        return undefined;
    }
  }

  #nested<Value>(read: () => Value | undefined): Value | undefined {
    this.#at++;
    if (++this.#depth > deepest) return undefined;
    const value = read();
    this.#depth--;
    return value;
  }

  #tuple(): MiTuple | undefined {
    const fields = new Map<string, MiValue>();
    if (this.#skip('}')) return fields;
    do if (!this.#field(fields)) return undefined;
    while (this.#skip(','));
    return this.#skip('}') ? fields : undefined;
  }

  #list(): readonly MiValue[] | undefined {
    const values: MiValue[] = [];
    if (this.#skip(']')) return values;
    do {
      this.#name();
      const value = this.#value();
      if (value === undefined) return undefined;
      values.push(value);
    } while (this.#skip(','));
    return this.#skip(']') ? values : undefined;
  }

  #skip(character: string): boolean {
    if (this.#line.charAt(this.#at) !== character) return false;
    this.#at++;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

/** A string among the fields; undefined: there is none of that name. */
export function textIn(fields: MiTuple, name: string): string | undefined {
  const value = fields.get(name);
  return typeof value === 'string' ? value : undefined;
}

/** A tuple among the fields; an empty one where there is none. */
export function tupleIn(fields: MiTuple, name: string): MiTuple {
  return asTuple(fields.get(name));
}

/** A list among the fields; an empty one where there is none. */
export function listIn(fields: MiTuple, name: string): readonly MiValue[] {
  const value = fields.get(name);
  return isList(value) ? value : [];
}

export function asTuple(value: MiValue | undefined): MiTuple {
  return value instanceof Map ? value : new Map();
}

function isList(value: MiValue | undefined): value is readonly MiValue[] {
  return Array.isArray(value);
}
