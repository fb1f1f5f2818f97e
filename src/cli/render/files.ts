// Files that are brought into a container: one row each, the largest restarts cut short.
import type { PlannedFile } from '../../protocol/plan.ts';
import type { ChangedFile } from '../../protocol/result.ts';
import { escapeText } from './escape.ts';
import { count, formatBytes, type Row } from './table.ts';

const shownFiles = 20;

/** What has been brought. */
export function changedFileRows(files: readonly ChangedFile[]): readonly Row[] {
  return shortened(files, ({ path, change, sizeBytes, keptAs }) => {
    const name = escapeText(path);
    switch (change) {
      case 'created':
        return ['created', `${name}, ${formatBytes(sizeBytes)}`];
      case 'replaced':
        return ['replaced', `${name}, ${formatBytes(sizeBytes)}${keptAs === null ? '' : ', the old one is kept'}`];
      case 'removed':
        return ['removed', name];
      case 'in-memory':
        return ['in memory', `${name}, ${formatBytes(sizeBytes)}; a fresh start runs the file on disk`];
    }
  });
}

/** What a rollback has put back: each file is as it was before. */
export function putBackRows(files: readonly ChangedFile[]): readonly Row[] {
  const onDisk = files.filter(({ change }) => change !== 'in-memory');
  return shortened(onDisk, ({ path, change }) => [change === 'created' ? 'removed' : 'put back', escapeText(path)]);
}

/** What a plan would bring. */
export function plannedFileRows(files: readonly PlannedFile[]): readonly Row[] {
  return shortened(files, ({ path, change, sizeBytes, from }) => [
    labels[change],
    `${escapeText(path)}, ${formatBytes(sizeBytes)} from ${escapeText(from)}`,
  ]);
}

const labels: Readonly<Record<PlannedFile['change'], string>> = {
  created: 'creates',
  replaced: 'replaces',
  removed: 'removes',
  'in-memory': 'in memory',
};

function shortened<File>(files: readonly File[], rowOf: (file: File) => Row): readonly Row[] {
  const rest = files.length - shownFiles;
  const shown = files.slice(0, shownFiles).map(rowOf);
  return rest > 0 ? [...shown, ['...', `${count(rest, 'file')} more (-o json has them all)`]] : shown;
}
