// How a step is put together, for the pages that describe them.
import type { PlannedCall, PlannedStep } from '../protocol/plan.ts';

type By = PlannedCall['by'];

const quotedAtMost = 60;

export function call(by: By, text: string, when: string | null = null): PlannedCall {
  return { by, call: text, when };
}

export function step(title: string, ...calls: readonly PlannedCall[]): PlannedStep {
  return { title, calls };
}

export function quote(text: string): string {
  const shown = text.length > quotedAtMost ? `${text.slice(0, quotedAtMost)}…` : text;
  return JSON.stringify(shown);
}
