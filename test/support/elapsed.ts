// How long a change takes to be in force, for tests that bound it.

const POLL_MS = 5;
const PATIENCE_MS = 10_000;

/** How long until the condition holds, milliseconds. */
export const elapsed = async (condition: () => Promise<boolean>): Promise<number> => {
  const startedAt = Date.now();
  while (!(await condition())) {
    if (Date.now() - startedAt > PATIENCE_MS) throw new Error(`not within ${PATIENCE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return Date.now() - startedAt;
};
