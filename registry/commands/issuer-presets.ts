// What identity providers have in common with themselves: where they publish, what their access tokens look like, which
// claims say what. Data only; `<name>` stands for a parameter. Every value can be replaced in the request that names it.

import type { JsonObject } from '#core/json.ts';

export type PresetParameter = {
  readonly description: string;
  /** What the whole value must match. */
  readonly pattern: RegExp;
  /** Absent: the parameter must be given. */
  readonly default?: string;
};

export type IssuerPreset = {
  readonly description: string;
  readonly parameters: Readonly<Record<string, PresetParameter>>;
  /** Fields of a trusted issuer. */
  readonly fields: JsonObject;
};

const HOST = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?$/;
const PATH_SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const URL_WITHOUT_SLASH = /^https?:\/\/[^\s<>?#]*[^\s<>?#/]$/;

export const ISSUER_PRESETS: Readonly<Record<string, IssuerPreset>> = {
  entra: {
    description: 'Microsoft Entra ID, tokens of version 2.0; `directoryTenants` says whose',
    parameters: {
      authority: {
        description: 'host of the cloud, for sovereign ones',
        pattern: HOST,
        default: 'login.microsoftonline.com',
      },
    },
    fields: {
      kind: 'entra',
      issuer: 'https://<authority>/{tenantid}/v2.0',
      tokenEndpoint: 'https://<authority>/{tenantid}/oauth2/v2.0/token',
      algorithms: ['RS256'],
      claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
    },
  },
  // Its access tokens carry no `typ` to hold them to, and an issuer of its own for each authorization server.
  okta: {
    description: 'Okta, a custom authorization server; groups need a claim `groups` there',
    parameters: {
      domain: { description: 'host of the organisation, e.g. acme.okta.com', pattern: HOST },
      authorizationServer: {
        description: 'id of the authorization server',
        pattern: PATH_SEGMENT,
        default: 'default',
      },
    },
    fields: {
      kind: 'oidc',
      issuer: 'https://<domain>/oauth2/<authorizationServer>',
      tokenEndpoint: 'https://<domain>/oauth2/<authorizationServer>/v1/token',
      tokenRequests: { nameResourceBy: ['audience'], assertionAudience: 'token-endpoint' },
      algorithms: ['RS256'],
      claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
    },
  },
  // The `iss` of Auth0 ends in a slash. Claims of one's own must be named by a URL, here `<namespace>/groups`.
  auth0: {
    description: 'Auth0; groups and roles are claims that an Action adds under a namespace',
    parameters: {
      domain: { description: 'host of the Auth0 tenant, e.g. acme.eu.auth0.com', pattern: HOST },
      namespace: { description: 'URL before the names of added claims', pattern: URL_WITHOUT_SLASH },
    },
    fields: {
      kind: 'oidc',
      issuer: 'https://<domain>/',
      tokenEndpoint: 'https://<domain>/oauth/token',
      tokenRequests: { nameResourceBy: ['audience'], assertionAudience: 'issuer' },
      algorithms: ['RS256'],
      claims: {
        groups: '<namespace>/groups',
        roles: '<namespace>/roles',
        scopes: 'scope',
        name: '<namespace>/name',
      },
    },
  },
  keycloak: {
    description: 'Keycloak, one realm; groups need a mapper with the claim `groups`',
    parameters: {
      baseUrl: {
        description: 'address of Keycloak, e.g. https://sso.acme.example',
        pattern: URL_WITHOUT_SLASH,
      },
      realm: { description: 'name of the realm', pattern: PATH_SEGMENT },
    },
    fields: {
      kind: 'oidc',
      issuer: '<baseUrl>/realms/<realm>',
      tokenEndpoint: '<baseUrl>/realms/<realm>/protocol/openid-connect/token',
      tokenRequests: {
        nameResourceBy: ['audience'],
        requestedTokenType: 'access_token',
        assertionAudience: 'issuer',
      },
      algorithms: ['RS256'],
      claims: { groups: 'groups', roles: '/realm_access/roles', scopes: 'scope', name: 'name' },
    },
  },
  oidc: {
    description: 'any provider whose access tokens follow RFC 9068',
    parameters: {
      issuer: { description: 'the `iss` of its tokens', pattern: /^https?:\/\/[^\s<>?#]+$/ },
    },
    fields: {
      kind: 'oidc',
      issuer: '<issuer>',
      algorithms: ['RS256', 'PS256', 'ES256'],
      tokenType: 'at+jwt',
      claims: { groups: 'groups', roles: 'roles', scopes: 'scope', name: 'name' },
    },
  },
};
