// All places of a machine, in the order in which they are printed, and what follows from what they found.
import type { TargetProcess } from '../protocol/request.ts';
import { isPossible, type Diagnosis, type Section } from './diagnosis.ts';
import type { Finding, Place, TargetPlace } from './finding.ts';
import type { Machine } from './machine.ts';
import { capabilities } from './places/capabilities.ts';
import { cpu } from './places/cpu.ts';
import { kernel } from './places/kernel.ts';
import { ownRestrictions } from './places/own-restrictions.ts';
import { runtimeDirectory } from './places/runtime-directory.ts';
import { runtimes } from './places/runtimes.ts';
import { securityModules } from './places/security-modules.ts';
import { targetAccess } from './places/target-access.ts';
import { targetConfinement } from './places/target-confinement.ts';
import { targetProcess } from './places/target-process.ts';
import { userNamespaces } from './places/user-namespaces.ts';
import { yama } from './places/yama.ts';
import { readSelf } from './self.ts';

const places: readonly { readonly title: string; readonly places: readonly Place[] }[] = [
  { title: 'Machine', places: [kernel, cpu] },
  { title: 'Rights', places: [capabilities, yama, securityModules, ownRestrictions] },
  { title: 'Surroundings', places: [userNamespaces, runtimes, runtimeDirectory] },
];

const targetPlaces: readonly TargetPlace[] = [targetProcess, targetConfinement, targetAccess];

export async function diagnose(machine: Machine, target: TargetProcess | null): Promise<Diagnosis> {
  const self = readSelf(machine);
  const ofMachine = await Promise.all(
    places.map(async ({ title, places: inSection }) => ({
      title,
      findings: (await Promise.all(inSection.map(async (place) => place(machine, self)))).flat(),
    })),
  );
  const sections = target === null ? ofMachine : [...ofMachine, await ofTarget(machine, self, target)];
  return {
    target: target === null ? null : { name: target.name, pid: target.pid },
    cluster: null,
    possible: isPossible(sections),
    sections,
  };
}

async function ofTarget(machine: Machine, self: ReturnType<typeof readSelf>, target: TargetProcess): Promise<Section> {
  const findings: Finding[] = [];
  for (const place of targetPlaces) {
    findings.push(...(await place(machine, self, target)));
    // Of a process that has ended there is nothing more to say.
    if (findings[0]?.subject === 'process' && findings[0].blocking) break;
  }
  return { title: `Target ${target.name}`, findings };
}
