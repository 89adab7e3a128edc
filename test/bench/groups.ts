// All that `npm run bench` measures, in the order in which it does.

import type { BenchGroup } from '#test/bench/core/row.ts';
import { CHECKS } from '#test/bench/groups/checks.ts';

export const GROUPS: readonly BenchGroup[] = [CHECKS];
