// A server behind the gateway that takes nothing on trust: each token it is sent it verifies as it arrives, by the
// provider's keys and the clock on the wall, and whether it is of the user it is said to be.

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

/** Names the object id of the user that a call is made for. */
export const EXPECTED_OID_HEADER = 'x-expected-oid';

export type OracleFigures = {
  readonly accepted: number;
  /** Had ended when they arrived. */
  readonly expired: number;
  /** Of another user, for another audience, or of no known key. */
  readonly wrong: number;
  /** What was left of the token that arrived last before its end, milliseconds. */
  readonly closestMs: number;
};

export type TokenOracle = {
  readonly url: string;
  figures(): OracleFigures;
  stop(): Promise<void>;
};

type Judgement = 'accepted' | 'expired' | 'wrong';

export const startTokenOracle = async (options: {
  readonly jwksUri: string;
  readonly audience: string;
}): Promise<TokenOracle> => {
  const keys = createRemoteJWKSet(new URL(options.jwksUri));
  const figures = { accepted: 0, expired: 0, wrong: 0, closestMs: Number.POSITIVE_INFINITY };

  const judge = async ({ headers }: IncomingMessage): Promise<Judgement> => {
    const arrivedAtMs = Date.now();
    const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
    const terms = { audience: options.audience, currentDate: new Date(arrivedAtMs) };
    try {
      const { payload } = await jwtVerify(token, keys, terms);
      if (payload['oid'] !== headers[EXPECTED_OID_HEADER]) return 'wrong';
      // jose compares whole seconds, and a server may not.
      const leftMs = (payload.exp ?? 0) * 1000 - arrivedAtMs;
      figures.closestMs = Math.min(figures.closestMs, leftMs);
      return leftMs > 0 ? 'accepted' : 'expired';
    } catch (thrown) {
      return thrown instanceof errors.JWTExpired ? 'expired' : 'wrong';
    }
  };

  const server = createServer((request, response) => {
    request.resume();
    void judge(request).then((judgement) => {
      figures[judgement] += 1;
      response.writeHead(judgement === 'accepted' ? 200 : 401).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    figures: () => ({ ...figures }),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
