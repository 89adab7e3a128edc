// Envoy's reason for refusing a resource, fit to be kept: it may quote the whole resource, with whatever secrets are
// in it, so everything that looks like one is taken out and the rest cut short.

/** Longest text that is kept, characters. */
const MAX_LENGTH = 300;

const SECRETS: readonly RegExp[] = [
  /-----BEGIN[\s\S]*?(?:-----END[^-]*-----|$)/g,
  /\beyJ[\w-]*(?:\.[\w-]*){0,4}/g,
  /\b(?:bearer|basic)\s+\S+/gi,
  // Key material in base64 or hex. Names of ours and type URLs are broken up by dots and hyphens before that length.
  /[A-Za-z0-9+/_]{40,}={0,2}/g,
  /\b[\w.-]*(?:password|secret|private_key|inline_string|inline_bytes|token)"?\s*[:=]\s*"(?:[^"\\]|\\.)*"?/gi,
];

/** One line of plain characters, at most 300 of them, without anything that could be a key or a token. */
export const redactNack = (message: string): string => {
  const redacted = SECRETS.reduce((text, pattern) => text.replace(pattern, '[redacted]'), message);
  const line = redacted.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1)}…` : line;
};
