// Test projects. `unit` sits beside the sources and needs nothing; the others run against the real Envoy, OPA and
// MCP SDKs, one file at a time, because they share the machine's two cores and its ports.

import { defineConfig } from 'vitest/config';

const realThing = (name: string) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 90_000,
  },
});

export default defineConfig({
  test: {
    // Polling ends when the condition holds; the limit is for a machine that is busy.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            '{core,runtime,protos,registry,xds-server,ext-authz,ext-proc,oauth-facade,policies,provision,demo,envoy}/**/*.test.ts',
            'test/*.test.ts',
            'test/bench/{core,groups}/*.test.ts',
            'test/soak/*.test.ts',
            'test/support/*.test.ts',
          ],
        },
      },
      ...['golden', 'policy', 'xds-protocol', 'integration', 'attack', 'fuzz', 'e2e'].map(realThing),
    ],
  },
});
