// What tests about replicas have in common: one server on some replicas, and who answered its calls.

import { httpCall } from '#test/support/http-call.ts';
import type { Gateway } from '#test/support/xds-gateway.ts';

/** The upstream that answered, or the status it was refused with. */
export const answeredBy = async (
  gateway: Gateway,
  server: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const { status, text } = await httpCall(gateway.origin, `/mcp/${server}`, { headers }).catch(() => ({
    status: 0,
    text: '',
  }));
  return status === 200 ? String(JSON.parse(text)['upstream']) : String(status);
};

/** How many of so many calls, one after another, each upstream answered. */
export const spread = async (
  gateway: Gateway,
  server: string,
  calls: number,
): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {};
  for (let call = 0; call < calls; call += 1) {
    const name = await answeredBy(gateway, server);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

/** A figure of Envoy's, 0 if there is none of the name. */
export const statOf = async (gateway: Gateway, name: string): Promise<number> => {
  const text = await gateway.admin(`/stats?filter=${encodeURIComponent(`^${name}$`)}`);
  return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
};
