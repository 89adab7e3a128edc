// The step that made approvals: what was in service before there were any counts as approved, and what revisions tell
// about who published and who registered keys is kept. Statements and rows only, so that both dialects can run it.

import type { ServerVersion } from '#core/server.ts';
import type { Requests } from '#registry/approval/definition.ts';
import {
  type Definition,
  definitionDigest,
  definitionOf,
  requestsOf,
} from '#registry/approval/definition.ts';
import { parseManifest } from '#registry/manifest/parse-manifest.ts';
import { pinRowsOf } from '#registry/store/write-approvals.ts';

export type Row = Readonly<Record<string, unknown>>;

/** `?` stands for a parameter. */
export type Statement = { readonly sql: string; readonly parameters: readonly (string | null)[] };

/** Yields statements and is given their rows. */
export type RowMover = () => Generator<Statement, void, readonly Row[]>;

const REASON = 'in service before there were approvals';
const ACTOR = 'registry';

const read = (sql: string): Statement => ({ sql, parameters: [] });

const insert = (table: string, row: Readonly<Record<string, string | null>>): Statement => {
  const columns = Object.keys(row);
  const places = columns.map(() => '?').join(', ');
  return {
    sql: `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places}) ON CONFLICT DO NOTHING`,
    parameters: Object.values(row),
  };
};

const text = (row: Row, column: string): string => String(row[column]);
const json = <T>(row: Row): T => JSON.parse(text(row, 'body')) as T;
const keyOf = (...parts: readonly string[]): string => parts.join(' ');

const PUBLISH = /^publish servers\/([^/]+)\/versions\/([^/]+)$/;
const REGISTER = /^(?:put|patch) publishers\/([^/]+)$/;

type Manifest = { readonly requests: Requests; readonly publisher: string; readonly kid: string };

const requestsIn = (bytes: Uint8Array): Requests => {
  const manifest = parseManifest(bytes);
  return manifest.ok ? requestsOf(manifest.value.manifest) : {};
};

const manifestFromRow = (row: Row): Manifest => ({
  requests: requestsIn(row['bytes'] as Uint8Array),
  publisher: text(row, 'publisher'),
  kid: text(row, 'kid'),
});

const submissionRow = (row: Row, manifests: ReadonlyMap<string, Manifest>) => {
  const [, server = '', version = ''] = PUBLISH.exec(text(row, 'action')) ?? [];
  const [tenant, actor] = [text(row, 'tenant'), text(row, 'actor')];
  const signed = actor.startsWith('publisher:') ? manifests.get(keyOf(tenant, server, version)) : undefined;
  return {
    tenant,
    server,
    version,
    actor,
    at: text(row, 'at'),
    requests: JSON.stringify(signed?.requests ?? {}),
    publisher: signed?.publisher ?? null,
    kid: signed?.kid ?? null,
  };
};

type SubmissionRow = ReturnType<typeof submissionRow>;

function* adoptSubmissions(): Generator<Statement, readonly SubmissionRow[], readonly Row[]> {
  const signed = yield read('SELECT tenant, server, version, publisher, kid, bytes FROM manifests');
  const manifests = new Map(
    signed.map((row) => [
      keyOf(text(row, 'tenant'), text(row, 'server'), text(row, 'version')),
      manifestFromRow(row),
    ]),
  );
  const published = yield read(
    "SELECT tenant, action, actor, at FROM revisions WHERE action LIKE 'publish servers/%' ORDER BY sequence",
  );
  const rows = published.map((row) => submissionRow(row, manifests));
  for (const row of rows) yield insert('submissions', row);
  return rows;
}

/** Whoever ever changed a publisher may have brought any of the keys it has now: it was not kept which. */
function* adoptRegistrations(): Generator<Statement, void, readonly Row[]> {
  const publishers = yield read(
    "SELECT tenant, name, body FROM resources WHERE until IS NULL AND body IS NOT NULL AND name LIKE 'publishers/%'",
  );
  const changes = yield read(
    "SELECT tenant, action, actor, at FROM revisions WHERE action LIKE '% publishers/%' ORDER BY sequence",
  );
  for (const row of publishers) {
    const tenant = text(row, 'tenant');
    const publisher = text(row, 'name').slice('publishers/'.length);
    const own = changes.filter(
      (change) =>
        text(change, 'tenant') === tenant && REGISTER.exec(text(change, 'action'))?.[1] === publisher,
    );
    for (const { kid } of json<{ readonly keys: readonly { readonly kid: string }[] }>(row).keys)
      for (const change of own)
        yield insert('key_registrations', {
          tenant,
          publisher,
          kid,
          actor: text(change, 'actor'),
          at: text(change, 'at'),
        });
  }
}

type Serving = { readonly tenant: string; readonly server: string; readonly version: string };

function* adoptVersion(place: Serving, definition: Definition): Generator<Statement, void, readonly Row[]> {
  const at = new Date().toISOString();
  const decided = { definition: definitionDigest(definition), digest: '', actor: ACTOR, reason: REASON, at };
  yield insert('decisions', { ...place, verdict: 'approved', ...decided });
  for (const row of pinRowsOf(place, definition)) yield insert('pins', row);
}

/** Everything that is served, whether or not it is switched off, and what is known of who made it. */
export const adoptServing: RowMover = function* () {
  const submissions = yield* adoptSubmissions();
  yield* adoptRegistrations();
  const requests = new Map(
    submissions.map((row) => [
      keyOf(row.tenant, row.server, row.version),
      JSON.parse(row.requests) as Requests,
    ]),
  );
  const rows = yield read(
    "SELECT tenant, name, body FROM resources WHERE until IS NULL AND body IS NOT NULL AND name LIKE 'servers/%'",
  );
  const bodies = new Map(rows.map((row) => [keyOf(text(row, 'tenant'), text(row, 'name')), row]));
  for (const row of rows) {
    const { activeVersion: version } = json<{ readonly activeVersion?: string }>(row);
    const [tenant, name] = [text(row, 'tenant'), text(row, 'name')];
    const body = bodies.get(keyOf(tenant, `${name}/versions/${version}`));
    if (version === undefined || body === undefined) continue;
    const place = { tenant, server: name.slice('servers/'.length), version };
    const asked = requests.get(keyOf(tenant, place.server, version)) ?? {};
    yield* adoptVersion(place, definitionOf(json<ServerVersion>(body), asked));
  }
};
