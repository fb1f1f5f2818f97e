// The library that draws several pods on a terminal. It is large, and loaded late and there alone; scripts/build.ts makes one file of it.
export { Listr, ListrLogger, ProcessOutput } from 'listr2';
