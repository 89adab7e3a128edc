// The token of the application that asks mini-entra's Graph.

import { Secret } from '#core/secret.ts';
import { APPLICATION_IDS, CONTOSO_TID } from '#demo/directory.ts';
import type { MiniEntra } from '#demo/mini-entra/mini-entra.ts';
import { requestToken } from '#test/support/token-world.ts';

export const graphToken = async (provider: MiniEntra): Promise<Secret> => {
  const { body } = await requestToken(provider, CONTOSO_TID, {
    form: {
      grant_type: 'client_credentials',
      client_id: APPLICATION_IDS.gatewayDirectory,
      client_secret: 'gateway-directory-demo-secret',
      scope: `${provider.origin}/.default`,
    },
  });
  return new Secret(String(body['access_token']));
};
