// The names a certificate stands for, out of Node's text of its subjectAltName extension. A name may hold whatever its
// issuer let through, ", DNS:" included, so the text is read strictly or not at all. Pure.

/** Names by kind; DNS names in lower case. */
export type CertificateNames = {
  readonly uri: readonly string[];
  readonly dns: readonly string[];
  readonly ip: readonly string[];
};

/** One entry of the text; names with special characters come as JSON strings (Node, `crypto.X509Certificate`). */
const NAME = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)/y;

/** @returns undefined if the text is not what Node writes. */
export const readCertificateNames = (text: string): CertificateNames | undefined => {
  const found: { readonly kind: string; readonly name: string }[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < text.length) {
    const [, kind, value = ''] = NAME.exec(text) ?? [];
    if (kind === undefined) return undefined;
    found.push({ kind, name: value.startsWith('"') ? String(JSON.parse(value)) : value });
  }
  const named = (wanted: string): string[] =>
    found.filter(({ kind }) => kind === wanted).map(({ name }) => name);
  return {
    uri: named('URI'),
    dns: named('DNS').map((name) => name.toLowerCase()),
    ip: named('IP Address'),
  };
};

/** For logs and reports: URIs first, since SPIFFE ids are URIs. */
export const listNames = ({ uri, dns, ip }: CertificateNames): readonly string[] => [...uri, ...dns, ...ip];
