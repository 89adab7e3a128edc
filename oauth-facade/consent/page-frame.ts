// What every page of the façade has in common: one style, no script, nothing from elsewhere, in nobody's frame. Pure.

import { createHash } from 'node:crypto';
import type { Reply } from '#oauth-facade/http/reply.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff; --ground: #f3f5f7; --act: #0b5cad; --warn: #8a5300; --warn-ground: #fff6e0 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --soft: #a2abb5; --line: #3b434c; --paper: #1b2026; --ground: #12161a; --act: #3b8ee0; --warn: #f0c674; --warn-ground: #2c2717 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 30rem; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 2rem }
h1 { margin: 0 0 .5rem; font-size: 1.35rem; line-height: 1.3; overflow-wrap: anywhere }
p { margin: .5rem 0 }
dl { margin: 1.25rem 0; border-top: 1px solid var(--line) }
dl div { padding: .6rem 0; border-bottom: 1px solid var(--line) }
dt { color: var(--soft); font-size: .85rem }
dd { margin: 0; overflow-wrap: anywhere }
dd code { display: block; font: .875rem/1.5 ui-monospace, monospace }
.warn { background: var(--warn-ground); color: var(--warn); border-radius: 8px; padding: .75rem 1rem }
.soft { color: var(--soft); font-size: .875rem }
form { display: flex; flex-direction: row-reverse; gap: .75rem; margin-top: 1.5rem }
button { flex: 1; padding: .7rem 1rem; border-radius: 8px; border: 1px solid var(--line); background: transparent; color: inherit; font: inherit; font-weight: 600; cursor: pointer }
button.act { background: var(--act); border-color: var(--act); color: #fff }
button:focus-visible, a:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
a { color: var(--act) }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** `form-action` holds for redirects after a form as well, so the way to the provider is none: it is a page of its own. */
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** Text as it may stand between tags and in a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export type Page = {
  readonly status: number;
  readonly title: string;
  /** HTML; whoever made it has escaped what is in it. */
  readonly main: string;
  /** HTML for the head, escaped likewise. */
  readonly head?: string;
  readonly cookies?: readonly string[];
};

export const pageReply = ({ status, title, main, head = '', cookies = [] }: Page): Reply => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    // `no-referrer` would make browsers send `Origin: null` with the page's own form.
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  },
  body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${head}<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>${main}</main></body></html>`,
  cookies,
});
