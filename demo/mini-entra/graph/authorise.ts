// Who may ask Graph what. It believes nobody: the token must be an application's own, for Graph, of the directory that is
// asked about, with the permission an admin has given.

import { createLocalJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { err, ok, type Result } from '#core/result.ts';
import { type DemoDirectory, GRAPH_RESOURCE_ID, type GraphPermission } from '#demo/directory.ts';
import {
  type GraphAsker,
  type GraphParts,
  type GraphReply,
  graphRefusal,
} from '#demo/mini-entra/graph/desk.ts';

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

const mayAsk = ({ idtyp, roles }: JWTPayload, needed: readonly GraphPermission[]): boolean =>
  idtyp === 'app' && Array.isArray(roles) && needed.every((permission) => roles.includes(permission));

/** The application that asks, or Graph's refusal. */
export const authoriseGraph = async (
  parts: GraphParts,
  authorization: string | undefined,
  needed: readonly GraphPermission[],
): Promise<Result<GraphAsker, GraphReply>> => {
  const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
  const directory = findDirectory(parts, token);
  const payload = directory === undefined ? undefined : await verify(parts, directory, token);
  if (directory === undefined || payload === undefined)
    return err(graphRefusal(401, 'InvalidAuthenticationToken', 'The token is not valid.'));
  return mayAsk(payload, needed)
    ? ok({ directory, clientId: String(payload['azp']) })
    : err(
        graphRefusal(
          403,
          'Authorization_RequestDenied',
          'Insufficient privileges to complete the operation.',
        ),
      );
};
