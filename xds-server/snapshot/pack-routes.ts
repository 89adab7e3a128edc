// A RouteConfiguration put together from routes packed before. A repeated field is its items one behind the other, so one
// changed server costs the packing of its own routes, among a thousand in the tenant as among ten.

import protobuf from 'protobufjs';
import type { JsonObject } from '#core/json.ts';
import { type PackedAny, packMessage } from '#protos/pack.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import type { RoutesFrame } from '#xds-server/translate/routes.ts';

/** Number of `RouteConfiguration.virtual_hosts`. */
const VIRTUAL_HOSTS = 2;
const LENGTH_DELIMITED = 2;

const packVirtualHost = (fields: JsonObject): Buffer =>
  packMessage(typedMessage('envoy.config.route.v3.VirtualHost', fields)).value;

/**
 * Routes as they stand in a virtual host; such parts may be put one behind the other.
 * @throws GatewayError `codec_failed` if one is not valid.
 */
export const packRoutes = (routes: readonly JsonObject[]): Buffer => packVirtualHost({ routes });

/** What a tenant's RouteConfiguration is put together from. */
export type RouteParts = { readonly frame: RoutesFrame; readonly byServer: ReadonlyMap<string, Buffer> };

/** The whole around the parts: what packing all of it at once would say. */
export const packAround = (frame: RoutesFrame, parts: readonly Buffer[]): PackedAny => {
  const { configuration, virtualHost, first, last } = frame;
  const host = Buffer.concat([packVirtualHost(virtualHost), packRoutes(first), ...parts, packRoutes(last)]);
  const { type_url, value } = packMessage(configuration);
  const field = protobuf.Writer.create()
    .uint32((VIRTUAL_HOSTS << 3) | LENGTH_DELIMITED)
    .bytes(host)
    .finish();
  return { type_url, value: Buffer.concat([value, field]) };
};
