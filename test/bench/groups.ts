// All that `npm run bench` measures, in the order in which it does.

import type { BenchGroup } from '#test/bench/core/row.ts';
import { CALLS, LATENCY, RUST_CALLS } from '#test/bench/groups/call-rows.ts';
import { CHECKS } from '#test/bench/groups/checks.ts';
import { EVALUATION } from '#test/bench/groups/evaluation.ts';

export const GROUPS: readonly BenchGroup[] = [CHECKS, CALLS, LATENCY, EVALUATION, RUST_CALLS];
