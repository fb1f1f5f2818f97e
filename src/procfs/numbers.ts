// Numbers as /proc prints them. Anything else than all digits is a ParseError: Number() and BigInt() accept too much
// ('' is 0, '0x10' is 16).
import { ParseError } from './parse-error.ts';

/** A signed decimal that fits a safe integer. */
export function parseInteger(source: string, text: string | undefined): number {
  if (text === undefined) throw new ParseError(source, 'a number is missing', '');
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new ParseError(source, 'no integer', text);
  return value;
}

/** A signed decimal of up to 64 bits: addresses, file positions, inodes. */
export function parseBigInteger(source: string, text: string | undefined): bigint {
  if (text === undefined) throw new ParseError(source, 'a number is missing', '');
  if (!/^-?\d{1,20}$/.test(text)) throw new ParseError(source, 'no 64-bit integer', text);
  return BigInt(text);
}

/** Hexadecimal without 0x, up to 64 bits: addresses and signal masks. */
export function parseHex(source: string, text: string | undefined): bigint {
  if (text === undefined) throw new ParseError(source, 'a number is missing', '');
  if (!/^[\da-fA-F]{1,16}$/.test(text)) throw new ParseError(source, 'no hexadecimal number', text);
  return BigInt(`0x${text}`);
}

/** Octal, with or without leading zeros: file flags and the umask. */
export function parseOctal(source: string, text: string | undefined): number {
  if (text === undefined) throw new ParseError(source, 'a number is missing', '');
  if (!/^[0-7]{1,16}$/.test(text)) throw new ParseError(source, 'no octal number', text);
  return Number.parseInt(text, 8);
}
