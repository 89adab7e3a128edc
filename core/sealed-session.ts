// A session of the older protocol era as its client holds it: not the server's id but a sealed text of ours, which says
// whose it is, which server made it, on which replica and in which version. It is no credential: it opens for its owner
// alone, who has to authenticate all the same. No service stores any of it, so none can lose it.

import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#core/result.ts';
import { openText, type SealFault, sealText } from '#core/sealed-text.ts';
import type { SealingKey, SealingKeys } from '#core/sealing-key.ts';
import { isVisibleAscii } from '#core/visible-ascii.ts';

/** Names the session of a message in both directions (MCP 2025-11-25, Session Management). */
export const SESSION_ID_HEADER = 'mcp-session-id';

/**
 * Longest sealed id, characters. Clients and servers take headers of 8 to 16 KiB altogether; the server's own id may have
 * about 2,800 of these.
 */
export const MAX_SEALED_CHARACTERS = 4096;

/** Who may use a session, and where. */
export type SessionOwner = {
  readonly tenantId: string;
  readonly serverId: string;
  readonly principal: string;
  /** Client applications the principal's token names: another client of the same user has sessions of its own. */
  readonly applications: readonly string[];
};

/** What is known of a session where it was made. */
export type UpstreamSession = {
  /** The server's own id. */
  readonly id: string;
  /** `address:port` of the replica that made it, as Envoy writes it. */
  readonly host: string;
  /** Version of the server, whose pinned tools the session's calls are judged by. */
  readonly version: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
};

/** A session as its owner presented it, as the server knows it, and as it is written of (`sessionReference`). */
export type CallSession = UpstreamSession & { readonly sealed: string; readonly reference: string };

export type SessionFault = SealFault | 'foreign';

const FORMAT = Buffer.from('mcpgw-session-1');
const OWNER_BYTES = 16;

// A digest, so that the id does not grow with names; of JSON, so that no field can borrow from the next.
export const ownerDigest = ({ tenantId, serverId, principal, applications }: SessionOwner): string =>
  createHash('sha256')
    .update(JSON.stringify([tenantId, serverId, principal, applications]))
    .digest()
    .subarray(0, OWNER_BYTES)
    .toString('base64url');

/**
 * The id the client gets.
 * @param nonce 12 random bytes.
 * @returns undefined where the server's id is no visible ASCII or too long.
 */
export const sealSession = (
  key: SealingKey,
  nonce: Uint8Array,
  { session, owner }: { readonly session: UpstreamSession; readonly owner: SessionOwner },
): string | undefined => {
  // What every session id is made of (same section); it can then stand in a header.
  if (!isVisibleAscii(session.id)) return undefined;
  const { id, host, version, startedAt } = session;
  const bytes = Buffer.from(JSON.stringify([ownerDigest(owner), startedAt, version, host, id]));
  const sealed = sealText(key, nonce, { bytes, bound: FORMAT });
  return sealed.length <= MAX_SEALED_CHARACTERS ? sealed : undefined;
};

/**
 * The session a client's id stands for.
 *
 * The owner is compared inside instead of being additional data of the cipher: an id that is genuine and somebody else's
 * was stolen or leaked, and whoever reads the log has to be able to tell that from noise.
 */
export const openSession = (
  keys: SealingKeys,
  text: string,
  owner: SessionOwner,
): Result<UpstreamSession, SessionFault> => {
  if (text.length > MAX_SEALED_CHARACTERS) return err('malformed');
  const opened = openText(keys, text, FORMAT);
  if (!opened.ok) return opened;
  // Authentic, so it has the shape `sealSession` gave it.
  const [digest, startedAt, version, host, id] = JSON.parse(opened.value.toString('utf8')) as [
    string,
    number,
    string,
    string,
    string,
  ];
  return digest === ownerDigest(owner) ? ok({ id, host, version, startedAt }) : err('foreign');
};

const REFERENCE_BYTES = 12;

/**
 * What logs, policy and audit call a session: the same for all of its life, and of no use to whoever reads it. Made of the
 * sealed id, which nobody can guess; the server's own may be a small number.
 */
export const sessionReference = (sealed: string): string =>
  createHash('sha256').update(sealed).digest().subarray(0, REFERENCE_BYTES).toString('hex');
