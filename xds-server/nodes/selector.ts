// Which servers somebody means: one, all of a tenant, or all. Pure.

import { ID_PATTERN } from '#core/endpoint-path.ts';
import { err, ok, type Result } from '#core/result.ts';

/** Absent parts are left open. */
export type ServerSelector = { readonly tenantId?: string; readonly serverId?: string };

const ID = new RegExp(ID_PATTERN);

/** `acme/tracker`, `acme/*`, or `*`. */
export const parseSelector = (text: string): Result<ServerSelector, string> => {
  if (text === '*') return ok({});
  const [tenantId = '', serverId = '', ...rest] = text.split('/');
  if (rest.length > 0 || !ID.test(tenantId) || !(serverId === '*' || ID.test(serverId)))
    return err('expected tenant/server, tenant/* or *');
  return ok(serverId === '*' ? { tenantId } : { tenantId, serverId });
};

export const formatSelector = ({ tenantId, serverId }: ServerSelector): string =>
  tenantId === undefined ? '*' : `${tenantId}/${serverId ?? '*'}`;

/** Whether everything `inner` means is meant by one of `outer`. */
export const isCovered = (outer: readonly ServerSelector[], inner: ServerSelector): boolean =>
  outer.some(
    ({ tenantId, serverId }) =>
      (tenantId === undefined || tenantId === inner.tenantId) &&
      (serverId === undefined || serverId === inner.serverId),
  );
