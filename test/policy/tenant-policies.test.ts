// Tenants' own policies in service: the thread, the disk and OPA's bundles are real; the registry is the port that brings
// their bytes.

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { createBundleFiles } from '#ext-authz/policy/bundle-files.ts';
import { createCallPolicy } from '#ext-authz/policy/call-policy.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { createBundleLoader } from '#ext-authz/policy/load-bundle.ts';
import { createTenantPolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import type { Shadow } from '#ext-authz/policy/shadow.ts';
import { createTenantPolicies, type TenantPolicyService } from '#ext-authz/policy/tenant-policies.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { startPolicyThread } from '#runtime/policy/policy-thread.ts';
import { grant, listCall, question, tenant, toolCall } from '#test/support/policy-world.ts';
import { buildTenantBundle } from '#test/support/tenant-bundle.ts';

const GENEROUS = `
	"prompts": {"all": true, "names": []},
	"resources": {"all": true, "names": []},
	"resourceTemplates": {"all": true, "names": []},
}`;

/** A policy that says yes to everything but what `rules` say. */
const bundleOf = (rules: string, names = '[tool.name | some tool in input.server.tools]'): Buffer =>
  buildTenantBundle({
    withRules: false,
    files: {
      'p.rego': `package mcp.authz

${rules}

yes := {"allow": true, "obligations": {}, "explain": ["rule/yes"]}

no(name) := {"allow": false, "reason": "constraint_violated", "constraint": name, "obligations": {}, "explain": []}

visible := {
	"tools": {"all": false, "names": ${names}},${GENEROUS}
`,
    },
  });

const YES = bundleOf('decision := yes');
const NO = bundleOf('decision := no("never")');
const NO_SECRETS = bundleOf(`default decision := {}

decision := no("secret") if input.call.arguments.secret

decision := yes if not input.call.arguments.secret`);
/** Its lists try to read everything that a grant may not. */
const NOSY = bundleOf(
  'decision := yes',
  '[tool.name | some tool in input.server.tools; not input.call.arguments; not input.request; not input.tool; count(input.call.targets) == 0]',
);
const ONLY_LIST = bundleOf('decision := yes', '["list_issues"]');
/** Passes its trial, and then: throws, never ends, counts, for callers of the right group. */
const HOSTILE = bundleOf(`decision := yes if not strange

decision := yes if {
	"never-ends" in input.identity.groups
	count([1 | some _ in many; some _ in many; some _ in many; some _ in many; some last in many; last == "never"]) == 0
}

decision := 1 if "throws" in input.identity.groups

decision := 2 if "throws" in input.identity.groups

many := {text | some n in numbers.range(1, 500); text := format_int(n, 10)}

strange if {
	some group in input.identity.groups
	group in {"throws", "never-ends"}
}`);

/** Orders a person's approval beside its yes. */
const APPROVAL = bundleOf(
  'decision := {"allow": true, "obligations": {"approval": ["two-people"]}, "explain": []}',
);

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const GRANTED = [grant('g', { tools: ['*'], prompts: ['*'], resources: ['*'] })];

const tenantWith = (bytes: Buffer | undefined, id = 'default'): Tenant => ({
  ...tenant(GRANTED),
  id,
  ...(bytes === undefined
    ? {}
    : { policy: { keys: [], requireSignature: false, bundle: { digest: digestOf(bytes) } } }),
});

const NO_SHADOW: Shadow = { observe: () => undefined };

let directory: string;
let registry: Map<string, Buffer>;
let isReachable: boolean;
let logLines: string[];
let metrics: Metrics;
let services: TenantPolicyService[];

const platform = createPolicy({
  holder: await createBundleSource(DEFAULT_BUNDLE)
    .load()
    .then((engine) => ({ current: () => engine })),
});

const NO_REMOTES = {
  engineOf: () => {
    throw new Error('no tenant here has one');
  },
};

const start = async (limitMs = 10_000) => {
  metrics = createMetrics('test');
  const files = createBundleFiles(directory);
  const service = await createTenantPolicies({
    thread: startPolicyThread(limitMs),
    load: createBundleLoader({
      files,
      fetchBundle: async ({ digest }) => {
        const found = registry.get(digest);
        if (!isReachable) return err('unreachable');
        return found === undefined ? err('unknown') : ok(found);
      },
    }),
    files,
    logger: createLogger('ext-authz', 'debug', { write: (line) => logLines.push(line) }),
    metrics: createTenantPolicyMetrics(metrics)('bundle'),
    member: 'bundle',
    retryMs: 20,
  });
  services.push(service);
  const policy = createCallPolicy({ platform, tenants: service, remotes: NO_REMOTES, shadow: NO_SHADOW });
  return {
    service,
    follow: (...tenants: readonly Tenant[]) => service.follow({ sequence: 1, tenants }),
    judge: (of: Tenant, changes: Partial<PolicyQuestion> = {}) =>
      policy.judge(question({ tenant: of, ...changes })),
    reason: async (of: Tenant, changes: Partial<PolicyQuestion> = {}) => {
      const judged = await policy.judge(question({ tenant: of, ...changes }));
      return judged.ok ? 'allowed' : judged.error.reason;
    },
    revision: async (of: Tenant) => (await policy.judge(question({ tenant: of }))).revision,
  };
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'policies-'));
  registry = new Map(
    [YES, NO, NO_SECRETS, NOSY, ONLY_LIST, HOSTILE, APPROVAL].map((bytes) => [digestOf(bytes), bytes]),
  );
  isReachable = true;
  logLines = [];
  services = [];
});

afterEach(async () => {
  for (const service of services) await service.stop();
  await rm(directory, { recursive: true, force: true });
});

const metric = async (line: string): Promise<boolean> => (await metrics.render()).body.includes(line);

const identity = (...groups: string[]) => ({
  identity: { ...question().identity, groups: ['engineering', ...groups] },
});

describe('a policy of a tenant', () => {
  it('narrows what the platform permits, and says so by its own reason', async () => {
    const { follow, judge, revision } = await start();
    await follow(tenantWith(NO));
    expect(await judge(tenantWith(NO))).toMatchObject({
      error: {
        reason: 'constraint_violated',
        publicFacts: { constraint: 'never' },
        logFacts: { policy: `bundle@sha256:${digestOf(NO).slice(0, 12)}` },
      },
    });
    expect(await revision(tenantWith(NO))).toMatch(/^default-policy@sha256:\w{12} bundle@sha256:\w{12}$/);
  });

  it('opens nothing that the platform refuses, and is not even asked', async () => {
    const { follow, reason } = await start();
    const ungranted = { ...tenantWith(YES), grants: [] };
    await follow(ungranted);
    expect(await reason(ungranted)).toBe('caller_not_granted');
    expect(await metric('tenant_policy_evaluations_total{')).toBe(false);
  });

  it('is told what was permitted by whom', async () => {
    const { follow, judge } = await start();
    await follow(tenantWith(YES));
    expect(await judge(tenantWith(YES))).toMatchObject({
      value: { explain: ['grant/g', 'tenant/rule/yes'] },
    });
  });

  it('judges its own tenant’s calls, and no other’s', async () => {
    const { follow, reason } = await start();
    const [one, two, none] = [tenantWith(NO, 'a'), tenantWith(YES, 'b'), tenantWith(undefined, 'c')];
    await follow(one, two, none);
    expect(await Promise.all([one, two, none].map((of) => reason(of)))).toEqual([
      'constraint_violated',
      'allowed',
      'allowed',
    ]);
  });

  it('costs a tenant without one nothing: the answer is there at once', async () => {
    const { judge } = await start();
    expect(judge(tenantWith(undefined))).toMatchObject({ ok: true });
  });

  it('reads arguments to refuse a call', async () => {
    const { follow, reason } = await start();
    const of = tenantWith(NO_SECRETS);
    await follow(of);
    expect(await reason(of, { call: toolCall('create_issue', { title: 'x' }) })).toBe('allowed');
    expect(await reason(of, { call: toolCall('create_issue', { secret: 'x' }) })).toBe('constraint_violated');
  });

  it('cannot read of a call what a list does not have, where it says what may be seen', async () => {
    const { follow, judge, reason } = await start();
    const of = tenantWith(NOSY);
    await follow(of);
    expect(await reason(of, { call: toolCall('create_issue', { secret: 'x' }) })).toBe('allowed');
    expect(await judge(of, { call: listCall('tools') })).toMatchObject({
      value: { lists: [{ kind: 'tools', visible: { names: ['create_issue', 'list_issues', 'purge'] } }] },
    });
  });

  it('shows in a list exactly what it permits to be called', async () => {
    const { follow, judge, reason } = await start();
    const of = tenantWith(ONLY_LIST);
    await follow(of);
    expect(await judge(of, { call: listCall('tools') })).toMatchObject({
      value: { lists: [{ kind: 'tools', visible: { all: false, names: ['list_issues'] } }] },
    });
    expect(await reason(of, { call: toolCall('list_issues') })).toBe('allowed');
    expect(await reason(of, { call: toolCall('create_issue') })).toBe('tool_not_granted');
  });

  it('lets no WebSocket in: nobody knows of it whether it reads arguments', async () => {
    const { follow, reason } = await start();
    await follow(tenantWith(YES));
    const call = { ...listCall('tools'), kind: 'upgrade' } as const;
    const identityWithScopes = { ...question().identity, scopes: ['tools.use', 'issues.write'] };
    expect(await reason(tenantWith(YES), { call, identity: identityWithScopes })).toBe(
      'websocket_needs_full_access',
    );
  });

  it('refuses arguments too large for any policy', async () => {
    const { follow, judge } = await start();
    await follow(tenantWith(YES));
    const call = toolCall('create_issue', { text: 'x'.repeat(300_000) });
    expect(await judge(tenantWith(YES), { call })).toMatchObject({
      error: { reason: 'policy_failed', logFacts: { fault: expect.stringMatching(/^input of \d+ bytes$/) } },
    });
  });
});

describe('a bundle that cannot be loaded', () => {
  it('leaves the one before it in service, and is told', async () => {
    const { follow, service, reason, revision } = await start();
    await follow(tenantWith(YES));
    const broken = Buffer.from('no archive');
    registry.set(digestOf(broken), broken);
    const changed = tenantWith(broken);
    await follow(changed);
    expect(await reason(changed)).toBe('allowed');
    expect(await revision(changed)).toContain(digestOf(YES).slice(0, 12));
    expect(service.failing()).toEqual(['default']);
    expect(logLines.join()).toMatch(
      /policy of a tenant refused.*is not gzip|is not gzip.*policy of a tenant refused/,
    );
    expect(await metric('mcpgw_tenant_policies_failing{member="bundle",service="test"} 1')).toBe(true);
  });

  it('refuses every call where there was none before, and nobody else’s', async () => {
    const { follow, judge, reason } = await start();
    const unknown = tenantWith(Buffer.from('never uploaded'), 'a');
    await follow(unknown, tenantWith(YES, 'b'));
    expect(await judge(unknown)).toMatchObject({
      error: { reason: 'policy_failed', logFacts: { fault: 'the registry has no such bundle' } },
    });
    expect(await reason(tenantWith(YES, 'b'))).toBe('allowed');
  });

  it('is fetched again until it is there', async () => {
    const { follow, service, reason } = await start();
    isReachable = false;
    await follow(tenantWith(NO));
    expect(await reason(tenantWith(NO))).toBe('policy_failed');
    isReachable = true;
    await expect.poll(() => reason(tenantWith(NO))).toBe('constraint_violated');
    expect(service.failing()).toEqual([]);
  });

  it('is waited for by a call that comes before it', async () => {
    const { reason } = await start();
    expect(await reason(tenantWith(NO))).toBe('constraint_violated');
  });

  it('is not put back by a call that began before the tenant named another', async () => {
    const { follow, reason, revision } = await start();
    const [loose, strict] = [tenantWith(YES), { ...tenantWith(NO), revision: 2 }];
    await follow(loose);
    await follow(strict);
    expect(await reason(loose)).toBe('constraint_violated');
    // Whatever the late call has begun, the one thread has come to by now.
    expect(await reason(tenantWith(NO_SECRETS, 'another'))).toBe('allowed');
    expect(await revision(strict)).toContain(digestOf(NO).slice(0, 12));
    expect(await reason(strict)).toBe('constraint_violated');
  });

  it('is not waited for any more once the tenant names none', async () => {
    const { follow, service, reason } = await start();
    await follow(tenantWith(Buffer.from('never uploaded')));
    await follow(tenantWith(undefined));
    expect(await reason(tenantWith(undefined))).toBe('allowed');
    expect(service.failing()).toEqual([]);
  });
});

describe('a restart', () => {
  it('judges without the registry by what judged before', async () => {
    const first = await start();
    await first.follow(tenantWith(NO, 'a'), tenantWith(YES, 'b'));
    await first.service.stop();
    isReachable = false;
    const second = await start();
    await second.follow(tenantWith(NO, 'a'), tenantWith(YES, 'b'));
    expect(await second.reason(tenantWith(NO, 'a'))).toBe('constraint_violated');
    expect(await second.reason(tenantWith(YES, 'b'))).toBe('allowed');
  });

  it('judges by what judged before until what is named now is there', async () => {
    const first = await start();
    await first.follow(tenantWith(NO));
    await first.service.stop();
    isReachable = false;
    const second = await start();
    await second.follow(tenantWith(YES));
    expect(await second.reason(tenantWith(YES))).toBe('constraint_violated');
    expect(second.service.failing()).toEqual(['default']);
    isReachable = true;
    await expect.poll(() => second.reason(tenantWith(YES))).toBe('allowed');
  });

  it('believes no file that is another than its name says', async () => {
    const first = await start();
    await first.follow(tenantWith(NO));
    await first.service.stop();
    await writeFile(join(directory, `${digestOf(NO)}.tar.gz`), YES);
    isReachable = false;
    const second = await start();
    await second.follow(tenantWith(NO));
    expect(await second.reason(tenantWith(NO))).toBe('policy_failed');
  });

  it('leaves no bundle on disk but what judges and what judged before it', async () => {
    const { follow, service } = await start();
    for (const bytes of [NO, YES, ONLY_LIST]) await follow(tenantWith(bytes));
    await service.stop();
    const kept = [ONLY_LIST, YES].map((bytes) => `${digestOf(bytes)}.tar.gz`);
    expect((await readdir(directory)).toSorted()).toEqual([...kept, 'serving.json'].toSorted());
    expect(JSON.parse(await readFile(join(directory, 'serving.json'), 'utf8'))).toEqual({
      default: digestOf(ONLY_LIST),
    });
  });
});

describe('a policy that fails', () => {
  it('by throwing denies that call only', async () => {
    const { follow, judge, reason } = await start();
    const of = tenantWith(HOSTILE);
    await follow(of);
    expect(await judge(of, identity('throws'))).toMatchObject({
      error: { reason: 'policy_failed', logFacts: { fault: expect.stringMatching(/^threw: /) } },
    });
    expect(await reason(of)).toBe('allowed');
    expect(
      await metric(
        'tenant_policy_evaluations_total{tenant="default",member="bundle",outcome="threw",service="test"} 1',
      ),
    ).toBe(true);
  });

  it('by never ending denies that call, and the calls of others are judged all the same', async () => {
    const { follow, judge, reason } = await start(1_500);
    const [of, other] = [tenantWith(HOSTILE, 'a'), tenantWith(NO, 'b')];
    await follow(of, other);
    const hanging = judge(of, identity('never-ends'));
    const behind = Array.from({ length: 20 }, () => reason(other));
    expect(await hanging).toMatchObject({
      error: { reason: 'policy_failed', logFacts: { fault: expect.stringMatching(/^overdue: /) } },
    });
    expect(new Set(await Promise.all(behind))).toEqual(new Set(['constraint_violated']));
    expect(await reason(of)).toBe('allowed');
  });
});

describe('a policy that does not end again and again', () => {
  const exhaust = async ({ judge }: Awaited<ReturnType<typeof start>>, of: Tenant): Promise<void> => {
    for (let calls = 0; calls < 3; calls += 1) await judge(of, identity('never-ends'));
  };

  it('is taken out, its predecessor judges, and it is told', { timeout: 60_000 }, async () => {
    const started = await start(2_000);
    const { follow, reason, revision, service } = started;
    await follow(tenantWith(YES));
    const of = tenantWith(HOSTILE);
    await follow(of);
    expect(await reason(of)).toBe('allowed');
    expect(await revision(of)).toContain(digestOf(HOSTILE).slice(0, 12));
    await exhaust(started, of);
    expect(await reason(of)).toBe('allowed');
    expect(await revision(of)).toContain(digestOf(YES).slice(0, 12));
    expect(service.failing()).toEqual(['default']);
    expect(logLines.join()).toContain('taken out of service');
    expect(
      await metric('tenant_policy_taken_out_total{tenant="default",member="bundle",service="test"} 1'),
    ).toBe(true);
  });

  it('is taken out, and the calls refused, where there was none before', { timeout: 60_000 }, async () => {
    const started = await start(2_000);
    const of = tenantWith(HOSTILE);
    await started.follow(of);
    await exhaust(started, of);
    expect(await started.judge(of)).toMatchObject({
      error: { reason: 'policy_failed', logFacts: { fault: 'taken out of service: too slow' } },
    });
    await started.follow(tenantWith(NO));
    expect(await started.reason(tenantWith(NO))).toBe('constraint_violated');
  });
});

describe('what a policy of a tenant orders', () => {
  it('comes on top of what the platform’s orders', async () => {
    const { follow, judge } = await start();
    await follow(tenantWith(APPROVAL));
    expect(await judge(tenantWith(APPROVAL))).toMatchObject({
      value: { obligations: { approval: ['two-people'] } },
    });
  });
});
