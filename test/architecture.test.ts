// Proves the arrows of docs/architecture.md: imports only descend, services do not know each other, pure folders are pure.

import { describe, expect, it } from 'vitest';
import { type SourceFile, sourceFiles } from '#test/support/source-files.ts';

/** Who may import whom. The longest matching prefix on the left decides; a folder may always import itself. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'core/': [],
  'runtime/': ['core/', 'protos/'],
  'protos/': ['core/'],
  'registry/feed/': ['core/', 'runtime/', 'protos/'],
  'registry/': ['core/', 'runtime/', 'protos/'],
  'xds-server/': ['core/', 'runtime/', 'protos/'],
  'ext-authz/': ['core/', 'runtime/', 'protos/'],
  'ext-proc/': ['core/', 'runtime/', 'protos/'],
  'oauth-facade/': ['core/', 'runtime/'],
  'policies/': ['core/', 'runtime/'],
  'envoy/': ['core/', 'runtime/'],
  'provision/': ['core/', 'runtime/'],
  'demo/': ['core/', 'runtime/', 'provision/'],
};

/** Only the wiring of a service may take the feed. */
const FEED_USERS = ['xds-server/main.ts', 'ext-authz/main.ts', 'ext-proc/main.ts', 'oauth-facade/main.ts'];

const PURE = [
  'core/',
  'registry/approval/',
  'registry/canary/judge.ts',
  'registry/canary/window.ts',
  'registry/canary/windows.ts',
  'registry/commands/',
  'registry/revisions/',
  'registry/drift/gone.ts',
  'registry/rollout/',
  'registry/manifest/',
  'registry/feed/apply-resources.ts',
  'registry/feed/snapshot-records.ts',
  'registry/feed/tenant-parts.ts',
  'registry/feed/unlike-resources.ts',
  'registry/signals/channel-address.ts',
  'registry/signals/client-state.ts',
  'registry/signals/event-effect.ts',
  'registry/signals/event-moment.ts',
  'registry/signals/graph-notification.ts',
  'registry/signals/subject.ts',
  'registry/store/ddl-words.ts',
  'registry/store/drift-sights.ts',
  'ext-proc/figures/answer-counter.ts',
  'xds-server/translate/',
  'xds-server/filters/',
  'xds-server/figures/',
  'xds-server/nodes/authorise.ts',
  'xds-server/nodes/claim.ts',
  'xds-server/nodes/concerns.ts',
  'xds-server/nodes/nodes-table.ts',
  'xds-server/nodes/selector.ts',
  'xds-server/nodes/view-cache.ts',
  'xds-server/nodes/view.ts',
  'xds-server/adaptive/',
  'xds-server/snapshot/',
  'xds-server/stream/client-status.ts',
  'xds-server/stream/conversation.ts',
  'xds-server/stream/layered-map.ts',
  'xds-server/stream/node-config.ts',
  'xds-server/stream/node-facts.ts',
  'xds-server/stream/node-matcher.ts',
  'xds-server/stream/requested-names.ts',
  'xds-server/stream/subscription.ts',
  'xds-server/stream/diff.ts',
  'xds-server/stream/encode.ts',
  'xds-server/stream/followers.ts',
  'protos/wire/',
  'ext-authz/request/',
  'ext-authz/response/',
  'ext-authz/policy/called-names.ts',
  'ext-authz/policy/input.ts',
  'ext-authz/assurance.ts',
  'ext-authz/audit/event.ts',
  'ext-authz/decision-log/event.ts',
  'ext-authz/drift/',
  'ext-authz/decision-log/mask.ts',
  'ext-authz/replay/read-event.ts',
  'ext-authz/replay/report.ts',
  'ext-authz/audit/audit-event.ts',
  'ext-authz/hide-tools.ts',
  'ext-authz/locate.ts',
  'ext-authz/session/open-call-session.ts',
  'ext-authz/session/take-up.ts',
  'ext-authz/orders.ts',
  'ext-authz/repeatable.ts',
  'ext-authz/revocation/judge-revocation.ts',
  'ext-authz/revocation/principals-of.ts',
  'ext-authz/steering.ts',
  'ext-authz/switches.ts',
  'ext-authz/token/exchange-record.ts',
  'ext-authz/token/gate/breaker.ts',
  'ext-authz/token/gate/fair-queue.ts',
  'ext-authz/version/',
  'runtime/tracing/traceparent.ts',
  'ext-proc/encoding/content-coding.ts',
  'ext-proc/framing/',
  'ext-proc/lists/',
  'ext-proc/pins/approved-tool.ts',
  'ext-proc/pins/judge-tool.ts',
  'ext-proc/pins/replica-memory.ts',
  'ext-proc/pins/sightings.ts',
  'ext-proc/pins/tell-changes.ts',
  'ext-proc/sanitation/detectors/',
  'ext-proc/sanitation/texts/',
  'ext-proc/sanitation/plugins/frames.ts',
  'ext-proc/sanitation/plugins/plugin-manifest.ts',
  'ext-proc/sanitation/plugins/wire-findings.ts',
  'ext-proc/session/seal-answer.ts',
  'ext-proc/session/stray-step.ts',
  'ext-proc/termination.ts',
  'ext-proc/transforms/',
  'oauth-facade/authorize/authorization.ts',
  'oauth-facade/authorize/granted-scopes.ts',
  'oauth-facade/authorize/judge-request.ts',
  'oauth-facade/authorize/resource.ts',
  'oauth-facade/browser.ts',
  'oauth-facade/client/client-metadata.ts',
  'oauth-facade/client/client.ts',
  'oauth-facade/client/document-url.ts',
  'oauth-facade/client/redirect-uri.ts',
  'oauth-facade/client/registration.ts',
  'oauth-facade/consent/consents.ts',
  'oauth-facade/consent/page-frame.ts',
  'oauth-facade/consent/pages.ts',
  'oauth-facade/fronted.ts',
  'oauth-facade/http/parameters.ts',
  'oauth-facade/http/reply.ts',
  'oauth-facade/metadata.ts',
  'oauth-facade/provider/endpoints.ts',
  'oauth-facade/provider/sign-in.ts',
  'oauth-facade/provider/token-answer.ts',
  'oauth-facade/refusal.ts',
  'oauth-facade/way-back.ts',
];

/** What reaches for the world outside the arguments. Comments are cut before this is looked for. */
const IMPURE =
  /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bfetch\(|\bprocess\.|\bset(?:Timeout|Interval|Immediate)\(|\bperformance\.|\bconsole\.|\brandom(?:UUID|Bytes)\b/;

const files = sourceFiles({ tests: false });

const ruleFor = (path: string): string | undefined =>
  Object.keys(ARROWS)
    .filter((prefix) => path.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];

const isAllowed = (file: SourceFile, imported: string): boolean => {
  if (imported.startsWith('registry/feed/') && FEED_USERS.includes(file.path)) return true;
  const rule = ruleFor(file.path);
  if (rule === undefined) return false;
  return [rule, ...(ARROWS[rule] ?? [])].some((prefix) => imported.startsWith(prefix));
};

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

const findCycle = (graph: ReadonlyMap<string, readonly string[]>): string[] | undefined => {
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
};

describe('architecture', () => {
  it('finds the sources it judges', () => {
    for (const folder of Object.keys(ARROWS)) {
      expect(
        files.some((file) => file.path.startsWith(folder)),
        folder,
      ).toBe(true);
    }
    expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(100);
  });

  it('lets imports only descend, and services share nothing but core, runtime, protos and the feed', () => {
    const forbidden = files.flatMap((file) =>
      file.imports
        .filter((imported) => !isAllowed(file, imported))
        .map((imported) => `${file.path} → ${imported}`),
    );
    expect(forbidden).toEqual([]);
  });

  it('has no import that leads to no file', () => {
    const known = new Set(files.map((file) => file.path));
    const missing = files.flatMap((file) =>
      file.imports
        .filter((path) => path.endsWith('.ts') && !known.has(path))
        .map((path) => `${file.path} → ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it('has no cycle', () => {
    expect(findCycle(new Map(files.map((file) => [file.path, file.imports])))).toBeUndefined();
  });

  it.each(PURE)('keeps %s pure: no I/O, clock, randomness or environment', (place) => {
    const pure = files.filter((file) => file.path.startsWith(place));
    expect(pure.length, `nothing found at ${place}`).toBeGreaterThan(0);
    for (const file of pure) {
      const outside = file.packages.filter((name) => name.startsWith('node:') && name !== 'node:crypto');
      expect(outside, file.path).toEqual([]);
      expect(IMPURE.exec(withoutComments(file.text))?.[0], file.path).toBeUndefined();
    }
  });

  it('keeps pure folders free of adapters', () => {
    const reaching = files
      .filter((file) => PURE.some((place) => file.path.startsWith(place)))
      .flatMap((file) =>
        file.imports.filter((path) => path.startsWith('runtime/')).map((path) => `${file.path} → ${path}`),
      );
    expect(reaching).toEqual([]);
  });

  it('lets no file outgrow 300 lines', () => {
    const long = files.filter((file) => file.text.split('\n').length > 301).map((file) => file.path);
    expect(long).toEqual([]);
  });

  it('opens every file with a comment that says what it holds', () => {
    expect(files.filter((file) => !file.text.startsWith('//')).map((file) => file.path)).toEqual([]);
  });
});
