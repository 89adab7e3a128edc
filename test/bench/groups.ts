// All that `npm run bench` measures, in the order in which it does.

import type { BenchGroup } from '#test/bench/core/row.ts';
import { CALLS, LATENCY, RUST_CALLS } from '#test/bench/groups/call-rows.ts';
import { CHECKS } from '#test/bench/groups/checks.ts';
import { DETECTORS } from '#test/bench/groups/detectors.ts';
import { EVALUATION } from '#test/bench/groups/evaluation.ts';
import { LISTS } from '#test/bench/groups/lists.ts';
import { ROUTES } from '#test/bench/groups/routes.ts';

export const GROUPS: readonly BenchGroup[] = [
  CHECKS,
  CALLS,
  LATENCY,
  EVALUATION,
  LISTS,
  ROUTES,
  DETECTORS,
  RUST_CALLS,
];
