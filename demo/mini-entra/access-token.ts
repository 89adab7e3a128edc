// What an Entra v2 access token says, and its signature. Knows no grant: the caller has judged everything.

import { createHash, randomBytes, randomInt } from 'node:crypto';
import { importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';
import { type DemoApplication, type DemoDirectory, type DemoUser, isConfidential } from '#demo/directory.ts';
import { userPrincipalName } from '#demo/mini-entra/world.ts';

/** Entra draws 60 to 90 minutes at random, so that nobody builds on a fixed hour. */
const LIFETIME_SECONDS = { minimum: 3600, maximum: 5400 } as const;

export type TokenFacts = {
  readonly directory: DemoDirectory;
  readonly resource: DemoApplication;
  readonly client: DemoApplication;
  /** Absent: the application acts for itself. */
  readonly user?: DemoUser;
  /** Delegated scopes; empty for an app-only token. */
  readonly scopes: readonly string[];
  /** Claims asked for by the `claims` parameter: `xms_cc`, `acrs`. */
  readonly requestedClaims: JWTPayload;
};

export type TokenTime = { readonly nowSeconds: number; readonly lifetimeSeconds: number };

export const randomLifetimeSeconds = (): number =>
  randomInt(LIFETIME_SECONDS.minimum, LIFETIME_SECONDS.maximum + 1);

const digest = (...parts: readonly string[]): Buffer =>
  createHash('sha256').update(JSON.stringify(parts)).digest();

/** Pairwise: the same person has another `sub` at every application. */
const pairwiseSubject = (tid: string, oid: string, resourceId: string): string =>
  digest('sub', tid, oid, resourceId).toString('base64url');

/** The object id of an application's service principal in one directory: fixed, and shaped like a GUID. */
const servicePrincipalId = (tid: string, clientId: string): string =>
  digest('sp', tid, clientId)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** More than a token of Entra names: beyond, it says where to ask instead, at an address that has gone. */
const MAX_GROUPS = 200;

const groupClaims = ({ directory }: TokenFacts, user: DemoUser): JWTPayload =>
  user.groups.length <= MAX_GROUPS
    ? { groups: user.groups.map((group) => group.id) }
    : {
        _claim_names: { groups: 'src1' },
        _claim_sources: {
          src1: {
            endpoint: `https://graph.windows.net/${directory.tid}/users/${user.oid}/getMemberObjects`,
          },
        },
      };

const userClaims = (facts: TokenFacts, user: DemoUser): JWTPayload => {
  const roles = user.roles[facts.resource.clientId] ?? [];
  return {
    idtyp: 'user',
    oid: user.oid,
    sub: pairwiseSubject(facts.directory.tid, user.oid, facts.resource.clientId),
    scp: facts.scopes.join(' '),
    ...groupClaims(facts, user),
    name: user.displayName,
    preferred_username: userPrincipalName(facts.directory, user),
    acct: 0,
    ...(roles.length === 0 ? {} : { roles }),
  };
};

const applicationClaims = (facts: TokenFacts): JWTPayload => {
  const oid = servicePrincipalId(facts.directory.tid, facts.client.clientId);
  const roles = facts.resource.appRoles[facts.client.clientId] ?? [];
  return { idtyp: 'app', oid, sub: oid, ...(roles.length === 0 ? {} : { roles }) };
};

/** How strongly the client has said who it is: not at all, by a secret, by a key. */
const authenticationOf = (client: DemoApplication): '0' | '1' | '2' => {
  if (!isConfidential(client)) return '0';
  return client.secret === undefined ? '2' : '1';
};

/** The claims of one token, without its times. */
const buildClaims = (facts: TokenFacts, issuer: string): JWTPayload => ({
  ver: '2.0',
  iss: issuer,
  aud: facts.resource.clientId,
  azp: facts.client.clientId,
  azpacr: authenticationOf(facts.client),
  tid: facts.directory.tid,
  ...(facts.user === undefined ? applicationClaims(facts) : userClaims(facts, facts.user)),
  ...facts.requestedClaims,
  uti: randomBytes(16).toString('base64url'),
});

/** A signed token. Issued-at and not-before lie in the same second. */
export const signAccessToken = async (
  facts: TokenFacts,
  { issuer, key, time }: { readonly issuer: string; readonly key: JWK; readonly time: TokenTime },
): Promise<string> =>
  new SignJWT({
    ...buildClaims(facts, issuer),
    iat: time.nowSeconds,
    nbf: time.nowSeconds,
    exp: time.nowSeconds + time.lifetimeSeconds,
  })
    .setProtectedHeader({ typ: 'JWT', alg: 'RS256', ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .sign(await importJWK(key, 'RS256'));
