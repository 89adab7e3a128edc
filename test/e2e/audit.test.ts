// What the auditor gets of calls through the whole product: who did what, refusals too, opened with the caller's key
// and closed for good once that is erased.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAuditCommand } from '#test/support/audit-command.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool } from '#test/support/raw-call.ts';

let product: Product;
let environment: Record<string, string>;

beforeAll(async () => {
  product = await startProduct();
  environment = { MCPGW_STATE_DIR: `${product.process.localDirectory}/state` };
}, 300_000);
afterAll(() => product.stop());

type View = { readonly body: Record<string, unknown>; readonly personal?: unknown };

const exported = (...args: string[]): View[] =>
  runAuditCommand(environment, 'export', ...args)
    .output.split('\n')
    .map((line) => JSON.parse(line) as View);

describe('the audit of calls', () => {
  it('holds allowed and refused calls, verifies, and forgets a caller without losing a record', async () => {
    const url = product.serverUrl('tracker');
    const [alice, paula] = [await product.token('alice'), await product.token('paula')];
    await callTool(url, alice, { name: 'whoami' });
    await callTool(url, paula, { name: 'create_issue', arguments: {} });
    await callTool(url, 'no-token', { name: 'whoami' });
    const views = exported('--personal', 'open');
    const allowed = views.find(({ body }) => body['decision'] === 'allow' && body['tool'] === 'whoami');
    const refused = views.find(({ body }) => body['reason'] === 'tool_not_granted');
    const stranger = views.find(({ body }) => body['reason'] === 'token_malformed');
    const exchanged = views.find(({ body }) => body['event'] === 'TokenExchanged');
    const decisions = await product.decisions();
    const principal = String(decisions.find(({ decision }) => decision === 'allow')?.['principal']);
    expect(allowed).toMatchObject({
      body: { tenant: 'default', server: 'tracker' },
      personal: { principal },
    });
    expect(refused).toMatchObject({
      body: { tool: 'create_issue' },
      personal: { principal: expect.any(String) },
    });
    expect(stranger?.personal).toBeUndefined();
    expect(exchanged).toMatchObject({
      body: { tenant: 'default', server: 'tracker', mode: 'obo', outcome: 'ok' },
      personal: { principal },
    });
    const cause = views.find(({ body }) => body['tokenSource'] === 'exchange');
    expect(cause?.body['requestId']).toBe(exchanged?.body['requestId']);
    expect(JSON.stringify(exported())).not.toContain(principal);
    expect(exported('--subject', principal).length).toBeGreaterThan(0);

    expect(runAuditCommand(environment, 'erase', '--subject', principal).status).toBe(0);
    const after = exported('--personal', 'open');
    expect(after).toHaveLength(views.length);
    expect(after.find(({ body }) => body['requestId'] === allowed?.body['requestId'])?.personal).toBe(
      'erased',
    );
    expect(after.find(({ body }) => body['requestId'] === refused?.body['requestId'])?.personal).toEqual(
      refused?.personal,
    );
    expect(runAuditCommand(environment, 'verify')).toMatchObject({ status: 0 });

    await callTool(url, alice, { name: 'whoami' });
    const again = exported('--personal', 'open').at(-1);
    expect(again).toMatchObject({ personal: { principal } });
    expect(await product.allLogs()).not.toContain(alice);
  });
});
