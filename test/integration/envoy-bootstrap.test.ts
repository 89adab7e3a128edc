// `npm run envoy:bootstrap` as an operator runs it: what it prints is a bootstrap that the real Envoy takes, at the edge
// and as a sidecar, with and without mutual TLS; and what is wrong with the variables is said.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { commandOf } from '#test/support/documented-commands.ts';
import { idOf, writePeer } from '#test/support/internal-peers.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';
import { requireEnvoy } from '#test/support/xds-gateway.ts';

const run = promisify(execFile);

let directory: string;
let tls: Readonly<Record<string, string>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'boot-'));
  const authority = createTestAuthority();
  const files = await writePeer(join(directory, 'tls'), authority.issue([idOf('e')]), authority.certificate);
  tls = {
    INTERNAL_TLS_CERTIFICATE_FILE: files.certificateFile,
    INTERNAL_TLS_KEY_FILE: files.keyFile,
    INTERNAL_TLS_CA_FILE: files.caFile,
    XDS_ADDRESS: 'xds.internal:7001',
    XDS_SERVER_SANS: 'spiffe://example.com/xds-server,*.xds.internal',
  };
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const bootstrap = async (variables: Readonly<Record<string, string>>): Promise<JsonObject> => {
  const [file = '', ...args] = commandOf('envoy:bootstrap');
  const env = { ...process.env, MCPGW_RUNTIME_DIR: join(directory, 'run'), ...variables };
  const { stdout } = await run(file, [...args, '--print'], { env });
  return JSON.parse(stdout) as JsonObject;
};

const validate = async (document: JsonObject): Promise<void> => {
  const file = join(directory, 'bootstrap.json');
  await writeFile(file, JSON.stringify(document));
  await run(requireEnvoy(), ['--mode', 'validate', '--config-path', file]);
};

describe('the printed bootstrap', () => {
  it.each([
    ['an edge', {}, { group: 'edge', servers: [] }],
    [
      'an edge that gets clusters on demand',
      { ENVOY_CLUSTERS_ON_DEMAND: 'true' },
      { group: 'edge', servers: [], clusters: 'on-demand' },
    ],
    ['an edge of a region', { ENVOY_REGION: 'eu' }, { group: 'edge', servers: [], region: 'eu' }],
    [
      'a sidecar',
      { ENVOY_NODE_GROUP: 'sidecar', ENVOY_NODE_SERVERS: 'acme/tracker, acme/wiki' },
      { group: 'sidecar', servers: ['acme/tracker', 'acme/wiki'] },
    ],
  ])('of %s is taken by Envoy', async (_, variables, claim) => {
    const document = await bootstrap({ ENVOY_NODE_ID: 'n1', ...variables });
    expect(document['node']).toMatchObject({ id: 'n1', metadata: { mcpgw: claim } });
    await validate(document);
  });

  it('of an Envoy with mutual TLS is taken by Envoy, and holds no key', async () => {
    const document = await bootstrap({ ENVOY_NODE_ID: 'n1', ...tls });
    expect(JSON.stringify(document)).toContain('"exact":"spiffe://example.com/xds-server"');
    expect(JSON.stringify(document)).not.toContain('PRIVATE KEY');
    await validate(document);
  });

  it.each([
    [{ ENVOY_NODE_GROUP: 'sidecar' }, 'ENVOY_NODE_SERVERS'],
    [{ ENVOY_NODE_SERVERS: 'acme/tracker' }, 'ENVOY_NODE_SERVERS'],
    [{ ENVOY_NODE_GROUP: 'king' }, 'ENVOY_NODE_GROUP: expected one of edge, sidecar'],
    [{ XDS_ADDRESS: 'xds.internal:7001' }, 'XDS_ADDRESS: internal ports carry tokens'],
  ])('is not made of %j', async (variables, why) => {
    await expect(bootstrap(variables)).rejects.toThrow(why);
  });
});
