// Our capabilities: what each is for, and what is not possible without it.
import { no, yes, type Finding, type Place } from '../finding.ts';
import { hasCapability, type Capability, type Self } from '../self.ts';

interface Use {
  readonly capability: Capability;
  readonly allows: string;
  readonly without: string;
}

const uses: readonly Use[] = [
  {
    capability: 'CAP_SYS_PTRACE',
    allows: "restarts of every user's processes",
    without: 'only processes of your own user and user namespaces can be restarted',
  },
  {
    capability: 'CAP_SYS_ADMIN',
    allows: "reading a target's seccomp filters",
    without: "a target's seccomp filters are not read; what they forbid is found by the dry run only",
  },
  {
    capability: 'CAP_SYS_RESOURCE',
    allows: 'giving back hard limits that the old program lowered',
    without: 'hard limits that the old program lowered stay low: such a restart needs --force',
  },
  {
    capability: 'CAP_SYS_NICE',
    allows: 'giving back priority and scheduling that the old program changed',
    without: 'a niceness that the old program raised stays: such a restart needs --force',
  },
  {
    capability: 'CAP_KILL',
    allows: "ending left-over children of every user's programs",
    without: 'left-over children that run as another user stay',
  },
  {
    capability: 'CAP_DAC_READ_SEARCH',
    allows: "reading the runtimes' own files: what a container was started with",
    without: 'what a container was started with is known from its runtime only',
  },
];

export const capabilities: Place = (_machine, self) => uses.map((use) => judge(use, self));

function judge({ capability, allows, without }: Use, self: Self): Finding {
  if (!hasCapability(self, capability)) return no(capability, without, wayOut(capability, self));
  const reach = self.inInitialUserNamespace ? '' : ', within this user namespace only';
  return yes(capability, `${allows}${reach}`);
}

/** Root without it is in a container (or was stripped of it), where sudo gives nothing. */
function wayOut(capability: Capability, { uid }: Self): string {
  return uid === 0 ? `in a container: docker run --cap-add=${capability.replace('CAP_', '')} …` : 'sudo hotexec …';
}
