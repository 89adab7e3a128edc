// The detectors that are built in and every kind of finding each can make, in closed lists: rules name them, metrics
// count by them.

export const DETECTOR_KINDS = {
  'hidden-text': ['zero-width', 'bidirectional', 'tag', 'variation-selector', 'soft-hyphen', 'control'],
  instructions: ['override', 'role-marker', 'concealment', 'tool-order', 'data-request'],
  exfiltration: ['image', 'link', 'url', 'data-url'],
  secrets: [
    'private-key',
    'aws-key',
    'gcp-key',
    'azure-key',
    'github-token',
    'gitlab-token',
    'slack-token',
    'stripe-key',
    'npm-token',
    'api-key',
    'jwt',
    'authorization',
    'connection-string',
    'assignment',
  ],
  pii: ['email', 'phone', 'card', 'iban', 'national-id'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type DetectorName = keyof typeof DETECTOR_KINDS;

export const DETECTOR_NAMES = Object.keys(DETECTOR_KINDS) as readonly DetectorName[];

/** Countries whose national ids and forms of phone numbers are known (ISO 3166; `GB` is the United Kingdom). */
export const ID_COUNTRIES = ['BE', 'DE', 'ES', 'FR', 'GB', 'IT', 'NL', 'PL', 'SE', 'US'] as const;
export type IdCountry = (typeof ID_COUNTRIES)[number];
