// Unit tests of browser.ts: whose cookies they are.

import { expect, it } from 'vitest';
import { browserCookies, browserDigest, readBrowser, readCookie } from '#oauth-facade/browser.ts';

const ID = 'A'.repeat(43);

it('over https nobody but this host can set the cookies, and none goes over plain http', () => {
  const cookies = browserCookies('https://sign-in.example');
  expect([cookies.browser, cookies.consents]).toEqual(['__Host-mcpgw-browser', '__Host-mcpgw-consents']);
  expect(cookies.attributes).toMatch(/^; Path=\/; .*HttpOnly; SameSite=Lax; Secure$/);
  expect(cookies.attributes).not.toContain('Domain');
});

it('over plain http, on this machine, browsers would not keep such cookies', () => {
  const cookies = browserCookies('http://127.0.0.1:8082');
  expect(cookies.browser).toBe('mcpgw-browser');
  expect(cookies.attributes).not.toContain('Secure');
});

it('reads a browser’s id where there is one, and it could be ours', () => {
  const cookies = browserCookies('https://sign-in.example');
  const read = (header: string) => readBrowser(header, cookies);
  expect(read(`a=b; __Host-mcpgw-browser=${ID}`)).toBe(ID);
  expect(read(`__Host-mcpgw-browser=${ID}; __Host-mcpgw-browser=${'B'.repeat(43)}`)).toBeUndefined();
  expect(read(`mcpgw-browser=${ID}`)).toBeUndefined();
  expect(read('__Host-mcpgw-browser=short')).toBeUndefined();
  expect(read('')).toBeUndefined();
  expect(readCookie('x__Host-mcpgw-browser=1', '__Host-mcpgw-browser')).toBeUndefined();
  expect(browserDigest(ID)).not.toContain(ID.slice(0, 8));
});
