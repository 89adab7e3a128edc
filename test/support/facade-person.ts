// A person before a browser at the sign-in façade: cookies are kept, forms filled in and sent, pages that lead on followed.
// Written against what is on the pages, like a person, and against nothing else of the façade.

export type Visited = {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

export type FacadePerson = {
  /** One request with the cookies the address has, no redirect followed. */
  visit(address: string, init?: RequestInit): Promise<Visited>;
  /** `name=value` of every cookie there is for the origin. */
  cookies(origin: string): readonly string[];
  setCookie(origin: string, pair: string): void;
  /** Sends the form of a consent page. */
  answer(page: Visited, decision: 'allow' | 'deny'): Promise<Visited>;
  /** Follows redirects, answers consent pages and signs in, until something leads to `redirectUri`. */
  signIn(address: string, redirectUri: string): Promise<URL>;
  /** Consent pages that were shown. */
  readonly asked: Visited[];
};

const unescaped = (text: string): string =>
  text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));

const attribute = (html: string, pattern: RegExp): string | undefined => {
  const found = pattern.exec(html)?.[1];
  return found === undefined ? undefined : unescaped(found);
};

export const consentFormOf = ({ text }: Visited) => ({
  action: attribute(text, /<form method="post" action="([^"]*)"/),
  sealed: attribute(text, /name="request" value="([^"]*)"/),
});

/** Where a page or a redirect leads. */
const onwardOf = ({ headers, text }: Visited): string | undefined =>
  headers.get('location') ?? attribute(text, /http-equiv="refresh" content="0;url=([^"]*)"/);

const MAX_STEPS = 15;

/** @param user who signs in where mini-entra asks */
export const createFacadePerson = (user = 'alice'): FacadePerson => {
  const jar = new Map<string, Map<string, string>>();
  const cookies = (origin: string) => [...(jar.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`);
  const setCookie = (origin: string, pair: string): void => {
    const kept = jar.get(origin) ?? new Map<string, string>();
    jar.set(origin, kept.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)));
  };
  const visit = async (address: string, init: RequestInit = {}): Promise<Visited> => {
    const url = new URL(address);
    const headers = { cookie: cookies(url.origin).join('; '), ...init.headers };
    const answer = await fetch(url, { redirect: 'manual', ...init, headers });
    for (const line of answer.headers.getSetCookie()) setCookie(url.origin, line.split(';')[0] ?? '');
    return { url, status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const asked: Visited[] = [];
  const answer = (page: Visited, decision: 'allow' | 'deny'): Promise<Visited> => {
    const { action, sealed } = consentFormOf(page);
    return visit(action ?? '', {
      method: 'POST',
      headers: { origin: page.url.origin },
      body: new URLSearchParams({ request: sealed ?? '', decision }),
    });
  };
  const goOn = (page: Visited): Promise<Visited> => {
    if (consentFormOf(page).sealed !== undefined) {
      asked.push(page);
      return answer(page, 'allow');
    }
    if (!page.text.includes('name="password"'))
      throw new Error(`the sign-in stops at ${page.url.pathname}: ${page.status} ${page.text}`);
    const body = new URLSearchParams({ username: user, password: `${user}-demo-password` });
    return visit(page.url.href, { method: 'POST', body });
  };
  const signIn = async (address: string, redirectUri: string): Promise<URL> => {
    let page = await visit(address);
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const onward = onwardOf(page);
      const next = onward === undefined ? undefined : new URL(onward, page.url);
      if (next?.href.startsWith(redirectUri) === true) return next;
      page = next === undefined ? await goOn(page) : await visit(next.href);
    }
    throw new Error('the sign-in goes in circles');
  };
  return { visit, cookies, setCookie, answer, signIn, asked };
};
