// The CPU: injecting system calls is work of its own for each.
import { blocked, yes, type Place } from '../finding.ts';

export const cpu: Place = ({ architecture }) => [
  architecture === 'x86_64'
    ? yes('CPU', 'x86-64 is supported')
    : blocked('CPU', `${architecture} is not supported yet`, 'run hotexec on an x86-64 machine (docs/porting.md)'),
];
