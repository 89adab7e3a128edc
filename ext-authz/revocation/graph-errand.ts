// A token for Graph that no call asks for: the gateway's own application is the one who calls.

import { type Identity, principalKey } from '#core/identity.ts';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { expandDirectory } from '#ext-authz/identity/issuers.ts';
import type { GraphDirectory } from '#ext-authz/revocation/graph-directories.ts';
import type { ErrandTokens } from '#ext-authz/token/broker.ts';

/** A round has time, but it must end before the next. */
const PATIENCE_MS = 10_000;

const ownIdentity = ({ issuer, tid, signals }: GraphDirectory, nowSeconds: number): Identity => {
  const iss = expandDirectory(issuer.issuer, tid);
  const { clientId } = signals;
  return {
    principal: principalKey({ issuer: iss, subject: clientId }),
    kind: 'app',
    issuerId: issuer.id,
    issuer: iss,
    audience: '',
    relation: issuer.relation,
    subject: clientId,
    tid,
    groups: [],
    roles: [],
    scopes: [],
    app: clientId,
    guest: false,
    assurance: [],
    claimsChallenges: false,
    issuedAt: nowSeconds,
    expiresAt: nowSeconds,
  };
};

/** The application's token for Graph, or the reason there is none, for the log. */
export const acquireGraphToken = async (
  broker: ErrandTokens,
  directory: GraphDirectory,
  nowSeconds: number,
): Promise<Result<Secret, string>> => {
  const acquired = await broker.acquireFor(directory.access.exchange, {
    tenant: directory.tenant,
    identity: ownIdentity(directory, nowSeconds),
    assertion: new Secret(''),
    nowSeconds,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return acquired.ok ? ok(acquired.value) : err(acquired.error.reason);
};
