// ext-authz as a process that shares state: what it wants before it starts, and what it says of itself.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startExtAuthzProcess } from '#test/support/ext-authz-process.ts';
import { ROOT } from '#test/support/product-process.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mcpgw-sharing-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const readyFacts = async (socketPath: string): Promise<unknown> => {
  const asked = request({ socketPath, path: '/readyz' }).end();
  const [answer] = await once(asked, 'response');
  return json(answer);
};

describe('ext-authz that shares state', () => {
  it('does not start without a key to seal it, and says how to make one', async () => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'ext-authz/main.ts'], {
      cwd: ROOT,
      env: {
        ...process.env,
        MCPGW_RUNTIME_DIR: place,
        MCPGW_STATE_DIR: join(place, 'state'),
        SHARED_STATE: 'sql',
        TOKEN_CACHE_KEY_FILE: '',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [output, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    expect(code).not.toBe(0);
    expect(output + errors).toMatch(/TOKEN_CACHE_KEY_FILE is required.*token-cache:rotate-key/);
  });

  it('says where, and under which keys', async () => {
    const keyFile = join(place, 'token-cache.key');
    writeFileSync(keyFile, `${Buffer.alloc(32, 1).toString('base64url')}\n`, { mode: 0o600 });
    const running = await startExtAuthzProcess({ SHARED_STATE: 'sql', TOKEN_CACHE_KEY_FILE: keyFile });
    try {
      const socket = join(running.environment['MCPGW_RUNTIME_DIR'] ?? '', 'ext-authz-ops.sock');
      expect(await readyFacts(socket)).toMatchObject({
        sharedState: 'sql',
        sharedStateUp: true,
        tokenCacheKeys: [expect.stringMatching(/^[\w-]{8}$/)],
        tokenCacheKeyFault: null,
      });
    } finally {
      await running.stop();
    }
  });
});
