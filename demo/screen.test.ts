import { expect, it } from 'vitest';
import { readyScreen } from '#demo/screen.ts';
import { readDemoSettings } from '#demo/supervisor/settings.ts';

const screen = readyScreen(readDemoSettings(), 4200);

it('has a line that begins with ready', () => {
  expect(screen).toMatch(/^ready in 4\.2 s$/m);
});

it('shows calls whose JSON is whole and whose headers repeat it, as the stateless revision demands', () => {
  const bodies = [...screen.matchAll(/-d '(.*)'$/gm)].map(([, body]) => JSON.parse(body ?? ''));
  expect(bodies.map(({ params }) => params.name)).toEqual(['create_issue', 'close_issue']);
  for (const { method, params } of bodies) {
    expect(screen).toContain(`'mcp-method: ${method}' -H 'mcp-name: ${params.name}'`);
    expect(params._meta).toEqual({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    });
  }
});

it('says where to paste, and where the sockets of the services are', () => {
  expect(screen).toContain('in this folder');
  expect(screen).toContain(readDemoSettings().runtimeDirectory);
});

it('holds no token and no password', () => {
  expect(screen).not.toMatch(/password|secret|eyJ/);
});
