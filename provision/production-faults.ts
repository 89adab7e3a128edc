// What production refuses to start with. The demo's identity provider is on this machine, its passwords and secrets are
// in the repository: with any of them a gateway would guard nothing.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type ProductionSettings = {
  /** Empty where not set. */
  readonly adminIssuer: string;
  readonly adminJwksUri: string;
  readonly adminAudience: string;
  readonly publicUrl: string;
  readonly gatewayTls: boolean;
  /** Of the sign-in façade; absent: there is none. */
  readonly facadeUrl?: string | undefined;
  readonly secretsDirectory: string;
  readonly stateDirectory: string;
  readonly demoDebug: boolean;
};

/** Every credential of the demo's applications ends so (demo/directory.ts). */
const DEMO_SECRET = /-demo-secret\s*$/;

/** Left by the demo's seed in its state directory. */
const DEMO_MARKER = 'seed.sha256';

const isHttps = (url: string): boolean => URL.canParse(url) && new URL(url).protocol === 'https:';

const isPlain = (url: string): boolean => url !== '' && !isHttps(url);

const findAdminFaults = (settings: ProductionSettings): readonly string[] =>
  (
    [
      ['ADMIN_ISSUER', settings.adminIssuer],
      ['ADMIN_JWKS_URI', settings.adminJwksUri],
    ] as const
  )
    .filter(([, url]) => !isHttps(url))
    .map(([name, url]) =>
      url === ''
        ? `${name} is required, an https URL: whose tokens administer the registry`
        : `${name} must be an https URL: production accepts no demo identity provider`,
    );

const findSecretFaults = (directory: string): readonly string[] => {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => DEMO_SECRET.test(readFileSync(file, 'utf8')))
    .map((file) => `SECRETS_DIRECTORY holds a demo secret: ${file}; give production its own directory`);
};

/**
 * Sentences for everything that is missing or of the demo; empty where nothing is.
 * @param services those that are about to start here
 */
export const findProductionFaults = (
  settings: ProductionSettings,
  services: readonly string[],
): readonly string[] => [
  ...(services.includes('registry') ? findAdminFaults(settings) : []),
  ...(services.includes('registry') && settings.adminAudience === ''
    ? ['ADMIN_AUDIENCE is required: the registry takes only tokens made for it']
    : []),
  ...(['ext-authz', 'oauth-facade'].some((name) => services.includes(name)) && settings.publicUrl === ''
    ? ['GATEWAY_PUBLIC_URL is required: clients are told to authenticate for this address']
    : []),
  ...(services.includes('ext-authz') && settings.gatewayTls && isPlain(settings.publicUrl)
    ? ['GATEWAY_PUBLIC_URL must be an https URL with GATEWAY_TLS: the gateway answers nothing else']
    : []),
  ...(services.includes('oauth-facade') && !isHttps(settings.facadeUrl ?? '')
    ? ['OAUTH_FACADE_PUBLIC_URL must be an https URL: people consent and clients get tokens there']
    : []),
  ...findSecretFaults(settings.secretsDirectory),
  ...(existsSync(join(settings.stateDirectory, DEMO_MARKER))
    ? [`MCPGW_STATE_DIR holds the demo's data: ${settings.stateDirectory}; give production its own directory`]
    : []),
  ...(settings.demoDebug ? ['DEMO_DEBUG is for the demo only; unset it'] : []),
];
