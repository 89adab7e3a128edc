// What an origin is: the scheme, host and port of a URL, and nothing more.

/** RFC 6454 §6.2, as browsers write it: `https://app.example.com`, without path and slash; `null` is no origin anyone could mean. */
export const isOrigin = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
