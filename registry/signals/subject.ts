// Whom a subject identifier (RFC 9493, SSF 1.0 §3) means, in our words. Only names that tokens carry count: an e-mail address
// or a telephone number may be somebody else's tomorrow, and identifies nobody here. Pure.

import { acceptedIssuers, type TrustedIssuer } from '#core/issuer.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { RevocationTarget } from '#core/revocation.ts';

/** As marks take it (registry/feed/schema/revocation-schema.ts): without blanks around it. */
const NAME = /^\S(?:.*\S)?$/;
const MAX_NAME_LENGTH = 512;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Identifiers of one subject. */
const MAX_ALIASES = 8;

const nameIn = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value.length <= MAX_NAME_LENGTH && NAME.test(value) ? value : undefined;

type Read = (subject: JsonObject, issuer: TrustedIssuer) => readonly RevocationTarget[];

/** Tokens carry the issuer's own name; a transmitter often uses its own for the same people. */
const isOfIssuer = (iss: Json | undefined, issuer: TrustedIssuer): boolean =>
  iss === issuer.signals?.sharedSignals?.transmitter ||
  acceptedIssuers(issuer).some((accepted) => accepted === iss);

const person = (value: Json | undefined, { id: issuerId }: TrustedIssuer): readonly RevocationTarget[] => {
  const subject = nameIn(value);
  return subject === undefined ? [] : [{ kind: 'subject', issuerId, subject }];
};

const readIssuerSubject: Read = ({ iss, sub }, issuer) =>
  isOfIssuer(iss, issuer) ? person(sub, issuer) : [];

const readOpaque: Read = ({ id }, issuer) => person(id, issuer);

const readTokenId: Read = ({ iss, jti }, issuer) => {
  const tokenId = nameIn(jti);
  return tokenId === undefined || !isOfIssuer(iss, issuer)
    ? []
    : [{ kind: 'token', issuerId: issuer.id, tokenId }];
};

const readAliases: Read = ({ identifiers }, issuer) =>
  (Array.isArray(identifiers) ? identifiers : [])
    .slice(0, MAX_ALIASES)
    // RFC 9493 §3.2.8: aliases are not nested.
    .flatMap((one) => (isJsonObject(one) ? readSimple(one, issuer) : []));

const SIMPLE: Readonly<Record<string, Read>> = {
  iss_sub: readIssuerSubject,
  opaque: readOpaque,
  jwt_id: readTokenId,
};

/** Drafts named it `subject_type` and wrote it with hyphens. */
const formatOf = ({ format, subject_type: draft }: JsonObject): string | undefined => {
  const given = format ?? draft;
  return typeof given === 'string' ? given.replaceAll('-', '_') : undefined;
};

const readSimple: Read = (subject, issuer) => {
  const format = formatOf(subject) ?? '';
  return Object.hasOwn(SIMPLE, format) ? (SIMPLE[format]?.(subject, issuer) ?? []) : [];
};

/** People of Entra are known by directory and object id, where both are said. */
const readDirectoryUser = (
  { user, tenant }: JsonObject,
  { directoryTenants }: TrustedIssuer,
): RevocationTarget | undefined => {
  if (!isJsonObject(user) || !isJsonObject(tenant)) return undefined;
  const [oid, tid] = [user['id'], tenant['id']];
  if (typeof oid !== 'string' || typeof tid !== 'string' || !GUID.test(oid)) return undefined;
  const known = directoryTenants.find((directory) => directory.toLowerCase() === tid.toLowerCase());
  return known === undefined ? undefined : { kind: 'directory-user', tid: known, oid: oid.toLowerCase() };
};

const readPerson: Read = (subject, issuer) =>
  formatOf(subject) === 'aliases' ? readAliases(subject, issuer) : readSimple(subject, issuer);

/**
 * Who a complex subject is about is its user: a session or device of theirs cannot be told from their others by a token, so
 * all of them end. Without a user nobody is named.
 */
const readComplex: Read = (subject, issuer) => {
  const found = issuer.kind === 'entra' ? readDirectoryUser(subject, issuer) : undefined;
  if (found !== undefined) return [found];
  return isJsonObject(subject['user']) ? readPerson(subject['user'], issuer) : [];
};

const isComplex = (subject: JsonObject): boolean => ['complex', undefined].includes(formatOf(subject));

/** What is to be ended of a subject; empty where it names nobody that tokens of this issuer could be of. */
export const targetsOf = (subject: Json | undefined, issuer: TrustedIssuer): readonly RevocationTarget[] =>
  isJsonObject(subject) ? (isComplex(subject) ? readComplex : readPerson)(subject, issuer) : [];
