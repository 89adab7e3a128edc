// The short run of every fuzz target: what is kept, and a fixed number of new inputs from a fixed seed, so that it says the
// same every time. `npm run fuzz` looks further.

import { describe, expect, it } from 'vitest';
import { readCorpus } from '#test/fuzz/corpus.ts';
import { TARGETS } from '#test/fuzz/targets.ts';
import { tryTarget } from '#test/fuzz/try-target.ts';

const SEED = 1;

describe('whatever is sent', () => {
  it.each(TARGETS)('$name holds', async (target) => {
    const { counterexample } = await tryTarget(target, { seed: SEED, runs: target.shortRuns });
    expect(counterexample === undefined ? '' : `${counterexample.what}: ${counterexample.bytes}`).toBe('');
  });

  it.each(TARGETS)(
    '$name has a corpus of small files, none of them a finding nobody looked at',
    ({ name }) => {
      const kept = readCorpus(name);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.filter((file) => file.bytes.length > 4_096 || file.name.startsWith('finding-'))).toEqual(
        [],
      );
    },
  );
});
