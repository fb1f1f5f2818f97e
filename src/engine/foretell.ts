// What is told beforehand of the files, the drain and the sockets: the decisions of a restart, which then acts on them.
import { statSync } from 'node:fs';
import type { PlannedDrain, PlannedFile, PlannedListener } from '../protocol/plan.ts';
import { signalName } from '../tracer/signals.ts';
import { nothingMore, type DrainPlan } from './drain.ts';
import { pathOf } from './files/planned.ts';
import type { HandOverPlan } from './handover/plan.ts';
import type { RestartPlan } from './plan.ts';

export function foretellDrain(plan: DrainPlan): PlannedDrain {
  if (plan.kind === 'skip') return { signal: null, gracePeriodMs: null, why: plan.why };
  const { signal, graceMs } = plan;
  return signal === null
    ? { signal: null, gracePeriodMs: graceMs, why: nothingMore }
    : { signal: signalName(signal), gracePeriodMs: graceMs, why: null };
}

export function foretellListeners({ served, refused }: HandOverPlan): readonly PlannedListener[] {
  return [
    ...served.map(({ name, address }) => ({ protocol: name, address, handOver: true, why: null })),
    ...refused.map(({ protocol, address, why }) => ({ protocol, address, handOver: false, why })),
  ];
}

export function foretellFiles({ files, program }: RestartPlan): readonly PlannedFile[] {
  const onDisk = files.files.map((file): PlannedFile => {
    const { source, replaces } = file;
    const change = source.kind === 'nothing' ? 'removed' : replaces === null ? 'created' : 'replaced';
    const sizeBytes = source.kind === 'file' ? source.sizeBytes : 0;
    return { path: pathOf(file), change, sizeBytes, from: source.path };
  });
  if (program?.memory?.kind !== 'local') return onDisk;
  const { path: from } = program.memory;
  const { size } = statSync(from);
  return [...onDisk, { path: program.path.toString(), change: 'in-memory', sizeBytes: size, from }];
}
