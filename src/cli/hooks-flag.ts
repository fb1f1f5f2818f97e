// --hooks: the container's lifecycle hooks are run around the restart.
import { Option } from '@commander-js/extra-typings';

export const hooksOption: Option<'--hooks'> = new Option(
  '--hooks',
  "run the container's preStop hook before the stop signal, and its postStart hook after the new program's start",
);

/** As commander gives it. */
export interface HooksFlag {
  readonly hooks?: true | undefined;
}
