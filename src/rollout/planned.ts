// A plan of many pods: that of the first, and which come after it. Pure.
import type { Plan } from '../protocol/plan.ts';

/** The others are to be as it is. `after`: as `pod/web-0`. */
export function planOfMany(plan: Plan, after: readonly string[]): Plan {
  if (after.length === 0) return plan;
  const order = `this is the first of ${after.length + 1} pods; then come ${after.join(', ')}`;
  return { ...plan, warnings: [order, ...plan.warnings] };
}
