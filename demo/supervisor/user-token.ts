// Tokens of the demo's own users for the supervisor's own needs: seeding as the admin, the first call as alice.

import { APPLICATION_IDS, DIRECTORIES } from '#demo/directory.ts';

/**
 * An access token for a user of the demo.
 * @throws if the provider refuses or does not answer
 */
export const requestUserToken = async (
  providerOrigin: string,
  name: string,
  scope: string,
): Promise<string> => {
  const directory = DIRECTORIES.find(({ users }) => users.some((user) => user.name === name));
  const password = directory?.users.find((user) => user.name === name)?.password;
  if (directory === undefined || password === undefined) throw new Error(`no user ${name}`);
  const form = {
    grant_type: 'password',
    client_id: APPLICATION_IDS.demoCli,
    username: name,
    password,
    scope,
  };
  const response = await fetch(`${providerOrigin}/${directory.tid}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const answer = (await response.json()) as { access_token?: string; error?: string };
  if (answer.access_token === undefined) throw new Error(`the identity provider refused: ${answer.error}`);
  return answer.access_token;
};

export const REGISTRY_SCOPE = 'api://mcpgw-registry/registry.access';

/** Scope of the application that stands for one server at the gateway. */
export const serverScope = (serverId: string): string => `api://gateway-${serverId}/tools.use`;
