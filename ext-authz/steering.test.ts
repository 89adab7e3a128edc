// Unit tests of steering.ts: one key for one caller or session, none that says who it is; what may be sent again.

import { describe, expect, it } from 'vitest';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { ServerVersion } from '#core/server.ts';
import type { HashKey } from '#core/upstream-settings.ts';
import type { Place } from '#ext-authz/locate.ts';
import { hashKey, steer } from '#ext-authz/steering.ts';

const place = (hashOn?: HashKey, server = 'tracker'): Place =>
  ({
    tenant: { id: 'acme' },
    server: {
      id: server,
      ...(hashOn === undefined ? {} : { upstream: { loadBalancing: { policy: 'maglev', hashOn } } }),
    },
  }) as Place;
const caller = (subject: string) => ({ principal: JSON.stringify(['https://issuer', subject]) }) as Identity;
const call = (sessionId?: string) => ({ ...(sessionId === undefined ? {} : { sessionId }) }) as McpCall;

describe('hashKey()', () => {
  it('is one for all calls of a caller, and another for another caller or server', () => {
    const key = hashKey(place('principal'), caller('ada'), call('s1'));
    expect(hashKey(place('principal'), caller('ada'), call('s2'))).toBe(key);
    expect(hashKey(place('principal'), caller('bob'), call('s1'))).not.toBe(key);
    expect(hashKey(place('principal', 'files'), caller('ada'), call('s1'))).not.toBe(key);
  });

  it('is one for all calls of a session, and none before there is one', () => {
    const key = hashKey(place('session'), caller('ada'), call('s1'));
    expect(hashKey(place('session'), caller('ada'), call('s1'))).toBe(key);
    expect(hashKey(place('session'), caller('ada'), call('s2'))).not.toBe(key);
    expect(hashKey(place('session'), caller('ada'), call())).toBeUndefined();
  });

  it('says nothing of the caller and fits a header', () => {
    expect(hashKey(place('principal'), caller('ada'), call())).toMatch(/^[\w-]{22}$/);
  });

  it('is none where the server does not hash, or hashes on a header of the client', () => {
    expect(hashKey(place(), caller('ada'), call('s1'))).toBeUndefined();
    expect(hashKey(place({ header: 'x-project' }), caller('ada'), call('s1'))).toBeUndefined();
  });
});

describe('steer()', () => {
  const version = { tools: [] } as unknown as ServerVersion;
  const asked = (method: string) =>
    ({ kind: 'request', era: 'stateless', method, targets: [] }) as unknown as McpCall;

  it('says that a call may be sent again, and nothing where it may not', () => {
    const known = { place: place(), version, identity: caller('ada'), session: undefined };
    expect(steer({ ...known, call: asked('tools/list') })).toEqual({ retry: 'safe' });
    expect(steer({ ...known, call: asked('tools/call') })).toEqual({});
  });

  it('leads a call by a tenant’s own host name to that tenant’s routes', () => {
    const acme = { ...place(), tenant: { ...place().tenant, id: 'acme' }, host: 'mcp.acme.example' };
    const short = { ...acme, path: `/mcp/${acme.server.id}` };
    const known = { version, identity: caller('ada'), session: undefined, call: asked('tools/call') };
    expect(steer({ ...known, place: short })).toEqual({ path: `/t/acme/mcp/${acme.server.id}` });
    expect(steer({ ...known, place: { ...acme, path: `/t/acme/mcp/${acme.server.id}` } })).toEqual({});
  });

  it('leads a call in a session to its replica, and to no other by sending it again', () => {
    const session = {
      id: 'u',
      sealed: 's',
      reference: 'r',
      host: '10.0.0.1:80',
      version: '1.0.0',
      startedAt: 0,
    };
    const known = { place: place(), version, identity: caller('ada'), session };
    const call = { ...asked('tools/list'), sessionId: session.sealed };
    expect(steer({ ...known, call })).toEqual({ host: '10.0.0.1:80' });
  });
});
