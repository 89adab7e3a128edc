// The façade's authorization-server metadata (RFC 8414): what MCP clients look for and the provider does not say. Pure.

import type { JsonObject } from '#core/json.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';

export const buildMetadata = ({ url, facade }: Pick<Fronted, 'url' | 'facade'>): JsonObject => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  ...(facade.registration ? { registration_endpoint: `${url}/register` } : {}),
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none'],
  client_id_metadata_document_supported: facade.clientDocuments,
  authorization_response_iss_parameter_supported: true,
});
