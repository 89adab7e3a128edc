// `npm run -s token -- <user> [--server <id>] | --admin | --app <name> [--server <id>]`: prints one access token of the
// demo's identity provider and nothing else, so that a shell can say $(npm run -s token -- alice).

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { APPLICATION_IDS, APPLICATIONS, DIRECTORIES } from '#demo/directory.ts';

const USAGE = 'usage: npm run -s token -- <user> [--server <id>] | --admin | --app <name> [--server <id>]';

type Ask = { readonly tid: string; readonly form: Readonly<Record<string, string>> };

const stop = (message: string): never => {
  console.error(message);
  process.exit(1);
};

const gatewayResource = (serverId: string): string => {
  const uri = `api://gateway-${serverId}`;
  const known = APPLICATIONS.flatMap((application) => application.identifierUri ?? []);
  const servers = known.flatMap((name) => name.match(/^api:\/\/gateway-(.+)$/)?.[1] ?? []);
  return known.includes(uri) ? uri : stop(`no server ${serverId}; there are: ${servers.join(', ')}`);
};

const askForUser = (name: string, scope: string): Ask => {
  const directory = DIRECTORIES.find(({ users }) => users.some((user) => user.name === name));
  const user = directory?.users.find((candidate) => candidate.name === name);
  if (directory === undefined || user === undefined) {
    const names = DIRECTORIES.flatMap(({ users }) => users.map((candidate) => candidate.name));
    return stop(`no user ${name}; there are: ${names.join(', ')}`);
  }
  const { password } = user;
  const form = {
    grant_type: 'password',
    client_id: APPLICATION_IDS.demoCli,
    username: name,
    password,
    scope,
  };
  return { tid: directory.tid, form };
};

const askForApplication = (name: string, scope: string): Ask => {
  const application = APPLICATIONS.find((candidate) => candidate.name === name);
  const tid = application?.directories[0];
  if (application?.secret === undefined || tid === undefined) {
    const names = APPLICATIONS.filter(({ secret }) => secret !== undefined).map(
      (candidate) => candidate.name,
    );
    return stop(`no application ${name} with a secret; there are: ${names.join(', ')}`);
  }
  const { clientId, secret } = application;
  return {
    tid,
    form: { grant_type: 'client_credentials', client_id: clientId, client_secret: secret, scope },
  };
};

const readArguments = (): Ask => {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        server: { type: 'string', default: 'tracker' },
        app: { type: 'string' },
        admin: { type: 'boolean' },
      },
    });
    const [user] = positionals;
    const chosen = [user, values.app, values.admin].filter((choice) => choice !== undefined);
    if (chosen.length !== 1 || positionals.length > 1) return stop(USAGE);
    if (values.admin === true) return askForUser('admin', 'api://mcpgw-registry/registry.access');
    const resource = gatewayResource(values.server);
    return values.app === undefined
      ? askForUser(user ?? '', `${resource}/tools.use`)
      : askForApplication(values.app, `${resource}/.default`);
  } catch {
    return stop(USAGE);
  }
};

/** Where the provider listens: DEMO_IDP_PORT, what the running demo wrote down, or the default. */
const findOrigin = (): string => {
  const port = process.env['DEMO_IDP_PORT'];
  if (port !== undefined && port !== '') return `http://127.0.0.1:${port}`;
  try {
    const written: { issuer?: string } = JSON.parse(readFileSync('.local/quickstart.json', 'utf8'));
    return new URL(written.issuer ?? '').origin;
  } catch {
    return 'http://127.0.0.1:9000';
  }
};

const requestToken = async (origin: string, { tid, form }: Ask): Promise<string> => {
  const response = await fetch(`${origin}/${tid}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  }).catch(() => stop(`the demo's identity provider does not answer at ${origin}; is npm start running?`));
  const answer = (await response.json()) as { access_token?: string; error_description?: string };
  return answer.access_token ?? stop(`refused: ${answer.error_description}`);
};

console.log(await requestToken(findOrigin(), readArguments()));
