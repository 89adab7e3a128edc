// Certificates as text (RFC 7468): several in one file or field, taken apart. Whether each is one is for whoever reads it.

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a text, in order; what stands between them is left out. */
export const splitPem = (text: string): readonly string[] => text.match(BLOCK) ?? [];
