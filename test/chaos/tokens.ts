// Tokens of the people, good and bad ones. Asked of the identity provider itself, past every link, before any fault.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt, importJWK, type JWK, SignJWT } from 'jose';
import { APPLICATION_IDS, type DemoUser } from '#demo/directory.ts';
import { REGISTRY_SCOPE, serverScope } from '#demo/supervisor/user-token.ts';
import { PEOPLE } from '#test/chaos/people.ts';
import type { Places } from '#test/chaos/places.ts';

export type Tokens = {
  /** A fresh one for a server. */
  of(user: DemoUser, tid: string, serverId: string): Promise<string>;
  /** Rightly signed, and over for an hour. */
  expired(user: DemoUser, tid: string, serverId: string): Promise<string>;
  /** For the registry's API, as its admin. */
  admin(): Promise<string>;
};

/** A token whose signature is of other text. */
export const forged = (token: string): string => {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const other = Buffer.from(JSON.stringify({ ...claims, groups: ['forged'] })).toString('base64url');
  return `${head}.${other}.${signature}`;
};

const HOUR_SECONDS = 3_600;

/** @throws if the provider refuses or is away. */
export const createTokens = ({ ports, stateDirectory }: Places): Tokens => {
  const origin = `http://127.0.0.1:${ports.idp}`;
  const ask = async (user: DemoUser, tid: string, scope: string): Promise<string> => {
    const form = {
      grant_type: 'password',
      client_id: APPLICATION_IDS.demoCli,
      username: user.name,
      password: user.password,
      scope,
    };
    const response = await fetch(`${origin}/${tid}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const answer = (await response.json()) as { access_token?: string; error?: string };
    if (answer.access_token === undefined) throw new Error(`no token for ${user.name}: ${answer.error}`);
    return answer.access_token;
  };
  const of: Tokens['of'] = (user, tid, serverId) => ask(user, tid, serverScope(serverId));
  return {
    of,
    expired: async (user, tid, serverId) => {
      const claims = decodeJwt(await of(user, tid, serverId));
      const file = join(stateDirectory, 'mini-entra', 'keys.json');
      const key = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, JWK[]>)[tid]?.[0];
      if (key === undefined) throw new Error('the identity provider has no key');
      const ended = Math.floor(Date.now() / 1_000) - HOUR_SECONDS;
      const times = { iat: ended - HOUR_SECONDS, nbf: ended - HOUR_SECONDS, exp: ended };
      return new SignJWT({ ...claims, ...times })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid ?? '' })
        .sign(await importJWK(key, 'RS256'));
    },
    admin: () => {
      const directory = PEOPLE.find(({ users }) => users.some(({ name }) => name === 'admin'));
      const admin = directory?.users.find(({ name }) => name === 'admin');
      if (directory === undefined || admin === undefined) throw new Error('there is no admin');
      return ask(admin, directory.tid, REGISTRY_SCOPE);
    },
  };
};
