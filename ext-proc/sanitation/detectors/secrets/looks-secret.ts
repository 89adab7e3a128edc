// Tells a value that is a secret from one that only stands where a secret would: a placeholder, a word, a type.

/** What documentation writes in the place of a secret. */
const PLACEHOLDER =
  /^(?:\$|%|<|\{|\[|\*|x{3,}|your|my[-_]|example|sample|change|placeholder|redacted|null|none|true|false|undefined|env\.|process\.|os\.|(?:test|dummy|fake|secret|password|passwd|pass|token)(?:$|[-_ ])|\.{3})|\.{3}$|\*{3}/i;

const SAMPLE_LENGTH = 64;
const MIN_DISTINCT = 6;

/** Letters, digits and signs in the first characters of a value, and how many of them differ. */
const sample = (value: string): { letters: number; digits: number; signs: number; distinct: number } => {
  const seen = new Set<number>();
  let [letters, digits, signs] = [0, 0, 0];
  const length = Math.min(value.length, SAMPLE_LENGTH);
  for (let at = 0; at < length; at += 1) {
    const code = value.charCodeAt(at);
    seen.add(code);
    if (code >= 48 && code <= 57) digits += 1;
    else if ((code | 32) >= 97 && (code | 32) <= 122) letters += 1;
    else signs += 1;
  }
  return { letters, digits, signs, distinct: seen.size };
};

/** True for a token: letters and digits mixed, few of them repeated, no placeholder. */
export const looksLikeToken = (value: string): boolean => {
  const { letters, digits, distinct } = sample(value);
  return (
    letters > 0 && digits > 1 && distinct >= MIN_DISTINCT + value.length / 16 && !PLACEHOLDER.test(value)
  );
};

/** True for a password that a person made up: no plain word, no placeholder. */
export const looksLikePassword = (value: string): boolean => {
  const { letters, digits, signs, distinct } = sample(value);
  return distinct >= MIN_DISTINCT && letters > 0 && digits + signs > 0 && !PLACEHOLDER.test(value);
};
