import { describe, expect, it } from 'vitest';
import { exfiltration } from '#ext-proc/sanitation/detectors/exfiltration.ts';
import { drawn, foundIn } from '#test/support/found-in.ts';

const LONG = drawn(64);

describe('what is fetched as soon as it is shown', () => {
  it.each([
    ['an image', '![x](https://evil.example/a.png?d=1)', 'https://evil.example/a.png?d=1'],
    ['an image with a title', '![x](<https://evil.example/a> "title")', 'https://evil.example/a'],
    ['an image in a link', '[![x](https://evil.example/a)](https://fine.example/)', 'https://evil.example/a'],
    ['an image by reference', '![x][r]\n\n[r]: https://evil.example/a', 'https://evil.example/a'],
    ['an image by its own label', '![Ref]\n\n[ref]: <https://evil.example/a>', 'https://evil.example/a'],
    ['an image without a scheme', '![x](//evil.example/a)', '//evil.example/a'],
    ['an image without slashes', '![x](https:evil.example/a)', 'https:evil.example/a'],
    ['an image with backslashes', '![x](https:\\\\evil.example/a)', 'https:\\\\evil.example/a'],
    ['an HTML image', '<img width=1 SRC = "https://evil.example/a?b" >', 'https://evil.example/a?b'],
    ['an HTML image without quotes', '<img src=https://evil.example/a>', 'https://evil.example/a'],
    ['a frame', "<iframe src='//evil.example/a'></iframe>", '//evil.example/a'],
    ['a style sheet', '<p style="background:url(https://evil.example/a)">', 'https://evil.example/a'],
  ])('%s', async (_, text, part) => {
    expect(await foundIn(exfiltration, text)).toEqual([`image: ${part}`]);
    expect(await foundIn(exfiltration, text, { allowedHosts: ['other.example'] })).toContain(
      `image: ${part}`,
    );
    const allowedHosts = ['evil.example', 'fine.example'];
    const isOdd = /https:[^/]/.test(text);
    if (!isOdd) expect(await foundIn(exfiltration, text, { allowedHosts })).toEqual([]);
  });
});

describe('links and bare addresses', () => {
  it.each([
    ['link', `[log](https://evil.example/?d=${LONG})`, `https://evil.example/?d=${LONG}`],
    ['link', `<a href="https://evil.example/${LONG}">log</a>`, `https://evil.example/${LONG}`],
    ['link', `[log][r]\n[r]: https://evil.example/?d=${LONG}`, `https://evil.example/?d=${LONG}`],
    ['link', '[log](javascript:fetch(1))', 'javascript:fetch(1)'],
    ['url', `see https://evil.example/?d=${LONG}.`, `https://evil.example/?d=${LONG}`],
    ['url', `<https://evil.example/?d=${LONG}>`, `https://evil.example/?d=${LONG}`],
    ['url', `HTTPS://${drawn(40)}.evil.example/`, `HTTPS://${drawn(40)}.evil.example/`],
    ['url', `https://evil.example/?${'%41'.repeat(12)}`, `https://evil.example/?${'%41'.repeat(12)}`],
    ['url', 'go to http://192.0.2.7/a', 'http://192.0.2.7/a'],
    ['url', 'go to http://3221225991/a', 'http://3221225991/a'],
    ['url', 'go to http://[2001:db8::1]/a', 'http://[2001:db8::1]/a'],
    ['url', 'go to https://xn--pypal-4ve.example/', 'https://xn--pypal-4ve.example/'],
    ['url', 'go to https://pаypal.example/', 'https://pаypal.example/'],
    ['url', 'go to https://fine.example@evil.example/', 'https://fine.example@evil.example/'],
    ['data-url', '![x](data:image/png;base64,AAAA)', 'data:image/png;base64,AAAA'],
    ['data-url', 'open data:text/html,<b> now', 'data:text/html,'.slice(0, -1)],
  ])('finds a %s: %s', async (kind, text, part) => {
    expect(await foundIn(exfiltration, text)).toEqual([`${kind}: ${part}`]);
  });

  it.each([
    'Read https://docs.example/guide/how-to-write-a-very-long-and-winding-title-of-a-page-in-words (or not).',
    '[source](https://github.com/a/b/blob/3b18e512dba79e4c8300dd08aeb37f8e728b8dad/src/main.ts#L10-L20)',
    'https://shop.example/search?q=red%20shoes&page=2&sort=price and http://localhost:3000/health',
    'The data: a list. Note: see // below. http: the protocol. C://x [x]: y',
    'const a = { data: value }; // comment',
    '![local](images/a.png) [anchor](#there) [mail](mailto:a@b.example)',
  ])('lets be: %s', async (text) => {
    expect(await foundIn(exfiltration, text)).toEqual([]);
  });

  it('finds every host that is not allowed, where hosts are named', async () => {
    const text =
      'https://a.example/x [b](https://api.b.example/) https://c.example https://b.example.evil.example/';
    expect(await foundIn(exfiltration, text, { allowedHosts: ['A.example', '*.b.example'] })).toEqual([
      'url: https://c.example',
      'url: https://b.example.evil.example/',
    ]);
    const disguised = 'https://a.example@evil.example/ https://a.example:8443/x';
    expect(await foundIn(exfiltration, disguised, { allowedHosts: ['a.example'] })).toEqual([
      'url: https://a.example@evil.example/',
    ]);
  });
});
