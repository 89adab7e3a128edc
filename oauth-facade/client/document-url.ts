// Addresses that are client ids (OAuth Client ID Metadata Document §3): https, a path, one spelling. Pure.

import { isListedHost } from '#oauth-facade/client/redirect-uri.ts';

const MAX_LENGTH = 512;

/** Whether an id means to be one: no sealed id has a colon. */
export const looksLikeUrl = (clientId: string): boolean => clientId.includes(':');

/** Whether a document may be looked for there. Dots and escapes in the path are written out by the parser, so they differ. */
export const isDocumentUrl = (clientId: string, clientHosts: readonly string[] | undefined): boolean => {
  if (clientId.length > MAX_LENGTH || !URL.canParse(clientId)) return false;
  const url = new URL(clientId);
  return (
    url.protocol === 'https:' &&
    url.href === clientId &&
    url.pathname !== '/' &&
    [url.username, url.password, url.hash, url.search].every((part) => part === '') &&
    isListedHost(url.hostname, clientHosts)
  );
};
