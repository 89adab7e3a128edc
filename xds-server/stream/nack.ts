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

/** Where a text names a resource; `tenant/acme` is not named by `tenant/acme-two`. */
const mentionsOf = (message: string, name: string): readonly number[] => {
  const places: number[] = [];
  for (let at = message.indexOf(name); at >= 0; at = message.indexOf(name, at + 1))
    if (!/[\w./-]/.test(message.slice(at - 1, at)) && !/^\.?[\w/-]/.test(message.slice(at + name.length)))
      places.push(at);
  return places;
};

export const isMentioned = (message: string, name: string): boolean => mentionsOf(message, name).length > 0;

/** Instead of a text that would tell one tenant of another. */
const SHARED = 'refused together with resources of others';

/**
 * What of Envoy's text is about one resource: it goes to that resource's tenant, and must not tell it of others.
 * @param others names of what else was refused, and is not the tenant's.
 */
export const ownReason = (message: string, name: string, others: readonly string[]): string => {
  if (others.length === 0) return message;
  const ends = others.flatMap((other) => mentionsOf(message, other));
  const parts = mentionsOf(message, name).map((start) => {
    const end = Math.min(message.length, ...ends.filter((place) => place > start));
    return message.slice(start, end).replace(/[\s,;]+$/, '');
  });
  return parts.length === 0 ? SHARED : parts.join('; ');
};
