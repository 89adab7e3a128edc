// An authority for tests of mutual TLS: it issues certificates with whatever names and times a test asks for. Written
// in DER by hand, because neither Node nor the house's dependencies can make a certificate.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

export type IssuedCertificate = { readonly certificate: string; readonly key: string };

export type IssueWishes = { readonly from?: Date; readonly until?: Date; readonly key?: 'ec' | 'rsa' };

export type TestAuthority = {
  /** PEM. */
  readonly certificate: string;
  /** A certificate with these names: URIs, DNS names, IPv4 addresses; for both sides of a handshake. A key on P-256, or RSA. */
  issue(names: readonly string[], wishes?: IssueWishes): IssuedCertificate;
};

const HOUR_MS = 3_600_000;

const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};

const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts);

/** Object identifiers, encoded. */
const OID = {
  ecdsaWithSha256: '06082a8648ce3d040302',
  commonName: '0603550403',
  basicConstraints: '0603551d13',
  keyUsage: '0603551d0f',
  subjectAltName: '0603551d11',
  extendedKeyUsage: '0603551d25',
  serverAuth: '06082b06010505070301',
  clientAuth: '06082b06010505070302',
} as const;

const oid = (name: keyof typeof OID): Buffer => Buffer.from(OID[name], 'hex');

const nameOf = (text: string): Buffer =>
  sequence(tlv(0x31, sequence(oid('commonName'), tlv(0x0c, Buffer.from(text)))));

/** GeneralizedTime everywhere: RFC 5280 wants UTCTime before 2050, and OpenSSL reads both. */
const timeOf = (date: Date): Buffer =>
  tlv(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));

const generalName = (name: string): Buffer => {
  if (name.includes('://')) return tlv(0x86, Buffer.from(name));
  return isIP(name) === 4
    ? tlv(0x87, Buffer.from(name.split('.').map(Number)))
    : tlv(0x82, Buffer.from(name));
};

const extension = (name: keyof typeof OID, value: Buffer): Buffer => sequence(oid(name), tlv(0x04, value));

const authorityExtensions = (): Buffer[] => [
  extension('basicConstraints', sequence(tlv(0x01, Buffer.from([0xff])))),
  extension('keyUsage', tlv(0x03, Buffer.from([0x01, 0x06]))),
];

const peerExtensions = (names: readonly string[]): Buffer[] => [
  extension('extendedKeyUsage', sequence(oid('serverAuth'), oid('clientAuth'))),
  ...(names.length === 0 ? [] : [extension('subjectAltName', sequence(...names.map(generalName)))]),
];

const certificateOf = (parts: {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly from: Date;
  readonly until: Date;
  readonly extensions: readonly Buffer[];
}): string => {
  const algorithm = sequence(oid('ecdsaWithSha256'));
  const serial = randomBytes(8);
  serial[0] = 1;
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    algorithm,
    nameOf(parts.issuer),
    sequence(timeOf(parts.from), timeOf(parts.until)),
    nameOf(parts.subject),
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...parts.extensions)),
  );
  const signature = sign('sha256', toBeSigned, parts.signer);
  const der = sequence(toBeSigned, algorithm, tlv(0x03, Buffer.from([0]), signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
};

/** A new authority, which nobody but the test trusts. */
export const createTestAuthority = (name = 'test authority'): TestAuthority => {
  const { publicKey, privateKey: signer } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const from = new Date(Date.now() - HOUR_MS);
  const until = new Date(Date.now() + HOUR_MS);
  const own = { issuer: name, subject: name, publicKey, signer, from, until };
  return {
    certificate: certificateOf({ ...own, extensions: authorityExtensions() }),
    issue: (names, { key = 'ec', ...times } = {}) => {
      const pair =
        key === 'rsa'
          ? generateKeyPairSync('rsa', { modulusLength: 2048 })
          : generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const subject = { issuer: name, subject: 'peer', publicKey: pair.publicKey, signer };
      const extensions = peerExtensions(names);
      return {
        certificate: certificateOf({ ...subject, from, until, ...times, extensions }),
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
};
