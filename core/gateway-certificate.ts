// Where every Envoy finds the certificate of the gateway's own listener, and the authorities of its clients. The listener is one for the whole fleet and
// comes from xds-server, certificates and keys are each machine's own: so the listener names a document by a path that is
// relative to Envoy's working directory, and whoever starts Envoy puts it there. Keys never travel.

/** Name of the secret, and of Envoy's statistics about it (`sds.gateway-certificate.*`). */
export const GATEWAY_CERTIFICATE = 'gateway-certificate';

/** The document that leads to the files, below Envoy's working directory. */
export const GATEWAY_CERTIFICATE_DOCUMENT = 'gateway-certificate.json';

/** The same for the authorities of client certificates. */
export const GATEWAY_AUTHORITIES = 'gateway-authorities';
export const GATEWAY_AUTHORITIES_DOCUMENT = 'gateway-authorities.json';
