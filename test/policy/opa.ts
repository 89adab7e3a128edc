// The real OPA for the tests of this folder. A missing one fails them: a policy nobody ran proves nothing.

import { GatewayError } from '#core/gateway-error.ts';
import { createOpa, type Opa } from '#policies/build/opa.ts';

/** @throws GatewayError `config_invalid` if OPA_BIN is not set. */
export const requireOpa = (): Opa => {
  const binary = process.env['OPA_BIN'];
  if (!binary) throw new GatewayError('config_invalid', 'OPA_BIN must name the opa 1.22.2 binary');
  return createOpa(binary);
};
