// MSAL's own token cache with any number of users in it, for comparisons. Filling it call by call takes minutes, because
// each call searches all of it, so one user's entries are made by MSAL and the others' are written like them.

import { createHash } from 'node:crypto';
import { ConfidentialClientApplication } from '@azure/msal-node';

const TID = '3f1c7a52-6d0e-4b8a-9c41-0a5e6b7d8c10';
const SCOPES = ['api://x/.default'];
const FIRST = 'user-0';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const bodyFor = (user: string) => ({
  token_type: 'Bearer',
  expires_in: 3_600,
  ext_expires_in: 3_600,
  access_token: `token of ${user} `.padEnd(1_600, 'x'),
  scope: SCOPES[0],
  id_token: `${part({ alg: 'none' })}.${part({ aud: 'app', tid: TID, oid: user, sub: user, ver: '2.0' })}.none`,
  client_info: part({ uid: user, utid: TID }),
});

const hashOf = (assertion: string): string => createHash('sha256').update(assertion).digest('base64url');

export type MsalCache = {
  /** The token of a user from the cache. @throws if MSAL would ask the provider */
  hit(assertion: string): Promise<string>;
};

/** @param assertionOf the caller's own token, by the number of the user. */
export const fillMsalCache = async (
  users: number,
  assertionOf: (user: number) => string,
): Promise<MsalCache> => {
  let asked = 0;
  const client = new ConfidentialClientApplication({
    auth: { clientId: 'app', clientSecret: 'secret', authority: `https://login.microsoftonline.com/${TID}` },
    system: {
      networkClient: {
        sendGetRequestAsync: () => Promise.reject(new Error('nothing is fetched')),
        sendPostRequestAsync: async <T>() => {
          asked += 1;
          return { status: 200, headers: {}, body: bodyFor(FIRST) as T };
        },
      },
    },
  });
  const acquire = (oboAssertion: string) => client.acquireTokenOnBehalfOf({ oboAssertion, scopes: SCOPES });
  await acquire(assertionOf(0));
  const model = client.getTokenCache().serialize();
  const kinds = JSON.parse(model) as Record<string, Record<string, object>>;
  for (const entries of Object.values(kinds)) {
    const [first] = Object.entries(entries);
    if (first === undefined) continue;
    const text = JSON.stringify(first);
    for (let user = 1; user < users; user += 1) {
      const other = text
        .replaceAll(hashOf(assertionOf(0)), hashOf(assertionOf(user)))
        .replaceAll(bodyFor(FIRST).client_info, bodyFor(`user-${user}`).client_info)
        .replaceAll(FIRST, `user-${user}`);
      const [key, entry] = JSON.parse(other) as [string, object];
      entries[key] = entry;
    }
  }
  client.getTokenCache().deserialize(JSON.stringify(kinds));
  return {
    hit: async (assertion) => {
      const result = await acquire(assertion);
      if (asked > 1 || result === null) throw new Error('MSAL did not find the token in its cache');
      return result.accessToken;
    },
  };
};
