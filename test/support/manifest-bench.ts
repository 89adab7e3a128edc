// A registry with one tenant in it, two publishers and their servers: what tests that send manifests stand on. It knows
// the state nothing refused may leave a trace in.

import type { HostLookup } from '#runtime/egress-resolve.ts';
import { answerFrom, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import {
  bytesOf,
  goodHeader,
  type PublisherTestKey,
  publisherKey,
  signAs,
} from '#test/support/manifest-world.ts';

/** Bound to `tracker`. */
export const TEAM = publisherKey('team-1');
/** Bound to `reports`. */
export const OTHER = publisherKey('other-1');

export type Problem = {
  readonly type: string;
  readonly status: number;
  readonly errors: readonly {
    readonly pointer: string;
    readonly message: string;
    readonly in?: string;
    readonly code?: string;
  }[];
};

export type Sent = { readonly status: number; readonly headers: Headers; readonly body: Problem };

/** As much of an answer as a refusal is judged by, whichever door gave it. */
export type Refused = { readonly status: number; readonly body: Pick<Problem, 'type' | 'errors'> };

export type Signing = {
  readonly key?: PublisherTestKey;
  readonly header?: object;
  readonly query?: string;
};

export const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

/** What a refusal says, cut to what tests compare: status, code, each pointer once. */
export const refusalOf = ({ status, body }: Refused) => ({
  status,
  code: body.type?.replace('urn:mcpgw:problem:', ''),
  pointers: [...new Set(body.errors?.map(({ pointer }) => pointer))],
});

const serverOf = (hosts: readonly string[]) => ({
  displayName: 'Server',
  allowedHosts: hosts,
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'home', audiences: [`api://${hosts[0]}`] }],
});

export const publisherOf = (keys: readonly PublisherTestKey[], servers: readonly string[] = ['tracker']) => ({
  displayName: 'Team',
  keys: keys.map(({ kid, jwk }) => ({ kid, jwk })),
  servers,
});

const world = (hosts: readonly string[]): readonly (readonly [string, object])[] => [
  ['', { displayName: 'Acme', accessContact: '' }],
  [
    '/issuers/home',
    {
      kind: 'oidc',
      issuer: 'https://login.example.com',
      jwksUri: 'https://login.example.com/keys',
      relation: 'home',
    },
  ],
  ['/servers/tracker', serverOf(hosts)],
  ['/servers/reports', serverOf(['reports.example.com'])],
  ['/publishers/team', publisherOf([TEAM])],
  ['/publishers/other', publisherOf([OTHER], ['reports'])],
];

const createBench = (registry: TestRegistry) => {
  const state = { tenant: '' };
  const pathOf = (path: string): string => `/v1/tenants/${state.tenant}${path}`;
  const admin = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    registry.call(method, pathOf(path), { ...(body === undefined ? {} : { body }), headers });
  const send = async (
    body: NonNullable<RequestInit['body']>,
    signature: string | undefined,
    query = '',
  ): Promise<Sent> => {
    const response = await fetch(`${registry.url}${pathOf('/manifests')}${query}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(signature === undefined ? {} : { 'x-jws-signature': signature }),
      },
      body,
      // Undici asks for it where the body is a stream.
      ...({ duplex: 'half' } as object),
    });
    const answer = await answerFrom('POST', response);
    return { ...answer, body: answer.body as unknown as Problem };
  };
  const sign = (bytes: Uint8Array, { key = TEAM, header = {} }: Signing = {}): Promise<string> =>
    signAs(key, bytes, { ...goodHeader(key.kid, state.tenant, nowSeconds()), ...header });
  return Object.assign(state, {
    registry,
    admin,
    /** Replaces whatever is there. */
    put: (path: string, body: unknown) => admin('PUT', path, body, { 'if-match': '*' }),
    send,
    sign,
    publish: async (manifest: unknown, signing: Signing = {}): Promise<Sent> => {
      const bytes = bytesOf(manifest);
      return send(new Uint8Array(bytes), await sign(bytes, signing), signing.query);
    },
    /** Everything a refused request must leave as it was. */
    trace: async () => {
      const { revision } = (await admin('GET', '')).body;
      const published = (await admin('GET', '/manifests')).body.items.length;
      const { items } = (await admin('GET', '/servers/tracker/versions')).body;
      return { revision, published, versions: items.map((item) => Object(item).version as string) };
    },
    /** A tenant of this name, and from now on everything is about it. */
    enter: async (tenant: string, hosts: readonly string[] = ['tracker.example.com']): Promise<void> => {
      state.tenant = tenant;
      for (const [path, body] of world(hosts)) {
        const { status, body: answer } = await admin('PUT', path, body);
        if (status !== 201) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(answer)}`);
      }
    },
  });
};

export type ManifestBench = ReturnType<typeof createBench>;

/** Starts a registry; `enter` makes the tenant. */
export const startManifestBench = async (
  options: { readonly allowPrivate?: boolean; readonly lookup?: HostLookup } = {},
): Promise<ManifestBench> => createBench(await startTestRegistry(options));
