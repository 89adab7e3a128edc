// The one call of Microsoft Graph that the gateway makes: which groups a person is in. It believes nobody: the token must be
// an application's own, for Graph, of the directory the person is in, with the permissions an admin has given.

import { createLocalJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { isJsonObject } from '#core/json.ts';
import { type DemoDirectory, GRAPH_PERMISSIONS, GRAPH_RESOURCE_ID } from '#demo/directory.ts';
import type { SigningKeys } from '#demo/mini-entra/signing-keys.ts';
import type { World } from '#demo/mini-entra/world.ts';

export type GraphReply = {
  readonly status: number;
  readonly body: object;
  readonly retryAfterSeconds?: number;
};

export type GraphDesk = {
  /** Answers everything in place of Graph until it is undefined again. */
  fault: GraphReply | undefined;
  /** How many questions came, answered or not. */
  questions: number;
};

export type GraphParts = {
  readonly world: World;
  readonly keys: SigningKeys;
  readonly issuer: (tid: string) => string;
  readonly graph: GraphDesk;
};

const refusal = (status: number, code: string, message: string): GraphReply => ({
  status,
  body: { error: { code, message } },
});

const findDirectory = ({ world }: GraphParts, token: string): DemoDirectory | undefined => {
  try {
    return world.findDirectory(String(decodeJwt(token)['tid']));
  } catch {
    return undefined;
  }
};

const verify = async (
  { keys, issuer }: GraphParts,
  directory: DemoDirectory,
  token: string,
): Promise<JWTPayload | undefined> => {
  try {
    const published = createLocalJWKSet({ keys: [...keys.published(directory.tid)] });
    const { payload } = await jwtVerify(token, published, {
      algorithms: ['RS256'],
      issuer: issuer(directory.tid),
      audience: GRAPH_RESOURCE_ID,
      requiredClaims: ['exp', 'tid'],
    });
    return payload;
  } catch {
    return undefined;
  }
};

const mayRead = ({ idtyp, roles }: JWTPayload): boolean =>
  idtyp === 'app' &&
  Array.isArray(roles) &&
  GRAPH_PERMISSIONS.every((permission) => roles.includes(permission));

const asksForGroups = (text: string): boolean => {
  try {
    const body: unknown = JSON.parse(text);
    return isJsonObject(body) && typeof body['securityEnabledOnly'] === 'boolean';
  } catch {
    return false;
  }
};

/** `POST /v1.0/users/{oid}/getMemberGroups`. */
export const answerGraph = async (
  parts: GraphParts,
  request: { readonly oid: string; readonly authorization: string | undefined; readonly text: string },
): Promise<GraphReply> => {
  parts.graph.questions += 1;
  if (parts.graph.fault !== undefined) return parts.graph.fault;
  const token = /^Bearer (\S+)$/.exec(request.authorization ?? '')?.[1] ?? '';
  const directory = findDirectory(parts, token);
  const payload = directory === undefined ? undefined : await verify(parts, directory, token);
  if (directory === undefined || payload === undefined)
    return refusal(401, 'InvalidAuthenticationToken', 'The token is not valid.');
  if (!mayRead(payload))
    return refusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  if (!asksForGroups(request.text))
    return refusal(400, 'Request_BadRequest', 'securityEnabledOnly is missing.');
  const user = parts.world.findUserByOid(directory, request.oid);
  return user === undefined
    ? refusal(404, 'Request_ResourceNotFound', `Resource '${request.oid}' does not exist.`)
    : { status: 200, body: { value: user.groups.map(({ id }) => id) } };
};
