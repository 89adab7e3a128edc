// Which endpoint a request for protected-resource metadata asks about (RFC 9728 §3.1: the endpoint's path follows the
// well-known prefix).

import { type EndpointRef, findEndpoint, METADATA_ROOT } from '#core/endpoint-path.ts';

export type DocumentEndpoint = { readonly ref: EndpointRef; readonly path: string };

/** The endpoint in the form the client used (long or short), or undefined if the path names none. */
export const findDocumentEndpoint = (path: string): DocumentEndpoint | undefined => {
  if (!path.startsWith(`${METADATA_ROOT}/`)) return undefined;
  const endpointPath = path.slice(METADATA_ROOT.length);
  const ref = findEndpoint(endpointPath);
  return ref === undefined ? undefined : { ref, path: endpointPath };
};
