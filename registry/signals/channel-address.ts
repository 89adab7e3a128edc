// Where the channels of an issuer listen.

export type SignalAddresses = { readonly events: string; readonly graph: string };

/** @param publicUrl where providers reach the receiver, without a slash at its end. */
export const addressesOf = (publicUrl: string, tenantId: string, issuerId: string): SignalAddresses => {
  const base = `${publicUrl}/v1/signals/${tenantId}/${issuerId}`;
  return { events: `${base}/events`, graph: `${base}/graph` };
};
