// Tells a program file that is not all there yet (a copy or a download in progress) from a whole one.
import type { ElfHeader } from './header.ts';

/**
 * A sentence about the first PT_LOAD or PT_INTERP that reaches beyond the file, undefined when all are inside. execve
 * takes a cut PT_LOAD without a word: the program is then killed by SIGBUS, or by SIGSEGV before its first instruction.
 */
export function describeTruncation(header: ElfHeader, fileSizeBytes: number): string | undefined {
  const parts = [
    ...header.loads.map((load, index) => ({ name: `PT_LOAD segment ${index}`, ...load })),
    ...(header.interpreter === undefined ? [] : [{ name: 'PT_INTERP', ...header.interpreter }]),
  ];
  const cut = parts.find((part) => part.fileSizeBytes > 0n && part.offset + part.fileSizeBytes > fileSizeBytes);
  if (cut === undefined) return undefined;
  return `${cut.name} ends at byte ${cut.offset + cut.fileSizeBytes}, but the file has ${fileSizeBytes} bytes`;
}
