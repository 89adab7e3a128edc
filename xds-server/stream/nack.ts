// Envoy's reason for refusing a resource, fit to be kept: it may quote the whole resource, with whatever secrets are
// in it, so everything that looks like one is taken out and the rest cut short.

/** Longest text that is kept, characters. */
const MAX_LENGTH = 300;

/** Longest text that is read: patterns over megabytes of a quoted resource would hold up every Envoy. */
const MAX_READ = 4_096;

const SECRETS: readonly RegExp[] = [
  /-----BEGIN[\s\S]*?(?:-----END[^-]*-----|$)/g,
  /\beyJ[\w-]*(?:\.[\w-]*){0,4}/g,
  /\b(?:bearer|basic)\s+\S+/gi,
  // Key material in base64 or hex. Type URLs are broken up by dots before that length. Names of ours may not be: they
  // are what has slashes and neither capitals nor signs.
  /(?<![A-Za-z0-9+/_])(?![a-z0-9]+(?:\/[a-z0-9]+){1,2}(?![A-Za-z0-9+/_]))[A-Za-z0-9+/_]{40,}={0,2}/g,
  /\b[\w.-]{0,64}(?:password|secret|private_key|inline_string|inline_bytes|token)"?\s*[:=]\s*"(?:[^"\\]|\\.)*"?/gi,
];

/** Without the word at the cut: half a key would not look like one. */
const beginning = (message: string): string =>
  message.length > MAX_READ ? message.slice(0, MAX_READ).replace(/\S*$/, '') : message;

/** One line of plain characters, at most 300 of them, without anything that could be a key or a token. */
export const redactNack = (message: string): string => {
  const redacted = SECRETS.reduce((text, pattern) => text.replace(pattern, '[redacted]'), beginning(message));
  const line = redacted.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1)}…` : line;
};
