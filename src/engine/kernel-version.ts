// The running kernel's version, for the few features that cannot be probed without touching a target.
import { release } from 'node:os';

export interface KernelVersion {
  atLeast(major: number, minor: number): boolean;
}

/** Parses `6.18.44-something`; an unknown form counts as 0.0. */
export function kernelVersion(text: string = release()): KernelVersion {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return {
    atLeast: (wantMajor, wantMinor) =>
      Number(major) > wantMajor || (Number(major) === wantMajor && Number(minor) >= wantMinor),
  };
}
