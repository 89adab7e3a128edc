// Version numbers as tools print them, and their order. Pre-release tags are ignored: they never decide here.

/**
 * The first `1.2.3` or `1.2` in a text, e.g. `Python 3.11.7` or `go version go1.26.8`.
 * @param {string} text
 * @returns {string | undefined}
 */
export const findVersion = (text) => /(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1];

/** @param {string} version */
const numbers = (version) => version.split('.').map(Number);

/** True when `version` is `minimum` or newer. */
export const isAtLeast = (version, minimum) => {
  const [have, need] = [numbers(version), numbers(minimum)];
  for (let index = 0; index < need.length; index += 1) {
    const difference = (have[index] ?? 0) - (need[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
};

/** True when both name one minor line: `1.40.0` and `1.40.3`. */
export const isSameMinor = (a, b) => {
  const [one, other] = [numbers(a), numbers(b)];
  return one[0] === other[0] && one[1] === other[1];
};
