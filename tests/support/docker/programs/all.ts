// The table of real programs.
import type { Program } from '../program.ts';
import { busybox } from './busybox.ts';
import { fortio } from './fortio.ts';
import { glibcThreads, muslThreads } from './hundred-threads.ts';
import { jvm } from './jvm.ts';
import { nginx } from './nginx.ts';
import { node } from './node.ts';
import { python } from './python.ts';
import { redis } from './redis.ts';

export const programs: readonly Program[] = [
  fortio,
  nginx,
  redis,
  node,
  python,
  jvm,
  busybox,
  glibcThreads,
  muslThreads,
];
