// Host names as clients write them and as tenants have them: one spelling each, so that a name that was given once
// cannot be claimed again in another writing. Pure.

/** Labels of lower-case letters, digits and hyphens; the last begins with a letter, so no address is a name. IDN in its xn-- form. */
export const HOST_NAME_PATTERN =
  '^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$';

const HOST_NAME = new RegExp(HOST_NAME_PATTERN);

/** RFC 9110 §7.2: host and optional port. Credentials and whatever else a URL could hold have no place here. */
const AUTHORITY = /^([a-z0-9.-]{1,254}?)\.?(?::\d{0,5})?$/i;

/**
 * The host name of a `Host` header or `:authority`: lower case, without port and without the dot of the DNS root.
 * Undefined for addresses, Unicode, escapes and everything else that is no such name.
 */
export const hostNameOf = (authority: string): string | undefined => {
  const name = AUTHORITY.exec(authority)?.[1]?.toLowerCase();
  return name !== undefined && HOST_NAME.test(name) ? name : undefined;
};

/** `publicUrl` with another host in it: scheme, port and path are the deployment's. */
export const urlAtHost = (publicUrl: string, host: string): string => {
  const url = new URL(publicUrl);
  url.hostname = host;
  return url.href.replace(/\/$/, '');
};
