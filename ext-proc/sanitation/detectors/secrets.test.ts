import { describe, expect, it } from 'vitest';
import { secrets } from '#ext-proc/sanitation/detectors/secrets.ts';
import { drawn, foundIn } from '#test/support/found-in.ts';

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const HEX = '0123456789abcdef';
const part = (length: number) => drawn(length);

const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${part(64)}\n${part(64)}==\n-----END RSA PRIVATE KEY-----`;
const JWT = `eyJ${part(20)}.eyJ${part(40)}.${part(43)}`;

describe('secrets', () => {
  it.each([
    ['private-key', PEM],
    ['private-key', PEM.replaceAll('\n', '\\n')],
    ['private-key', `-----BEGIN OPENSSH PRIVATE KEY-----\n${part(70)}`],
    ['private-key', `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${part(64)}`],
    ['aws-key', `AKIA${drawn(16, UPPER)}`],
    ['gcp-key', `AIza${part(35)}`],
    ['gcp-key', `GOCSPX-${part(28)}`],
    ['azure-key', `AccountKey=${part(86)}==`],
    ['github-token', `ghp_${part(36)}`],
    ['github-token', `github_pat_${part(22)}_${part(59)}`],
    ['gitlab-token', `glpat-${part(20)}`],
    ['slack-token', `xoxb-${drawn(12, HEX)}-${part(24)}`],
    ['slack-token', `hooks.slack.com/services/T${part(8)}/B${part(8)}/${part(24)}`],
    ['stripe-key', `sk_live_${part(24)}`],
    ['npm-token', `npm_${part(36)}`],
    ['api-key', `sk-ant-${part(40)}`],
    ['api-key', `SG.${part(22)}.${part(43)}`],
    ['jwt', JWT],
  ])('finds a %s', async (kind, secret) => {
    expect(await foundIn(secrets, `It is ${secret} and no other.`)).toEqual([`${kind}: ${secret}`]);
  });

  it.each([
    ['Authorization: Bearer ', `${part(40)}`, 'authorization'],
    ['password = "', 'hunter2!Tree', 'assignment'],
    ['DB_PASSWORD=', 'Tr0ub4dor&3'.replace('&', '+'), 'assignment'],
    ['{"client_secret":"', part(32), 'assignment'],
    ['{\\"api_key\\": \\"', part(24), 'assignment'],
    ['Server=db;User Id=sa;Password=', 'S3cur3-Pass!', 'assignment'],
    ['postgres://app:', 'Kq9#x_1v', 'connection-string'],
  ])('finds what stands behind %s', async (before, value, kind) => {
    const behind = kind === 'connection-string' ? '@db.internal/app' : ' ';
    expect(await foundIn(secrets, `${before}${value}${behind}`)).toEqual([`${kind}: ${value}`]);
  });

  it.each([
    'Set the password: it is required and must have eight characters.',
    'password: $DB_PASSWORD, pwd=%DB_PASSWORD%, token: <your-token>, api_key: "YOUR_API_KEY"',
    'postgres://user:password@localhost/db and https://example.com/a@b',
    'Authorization: Bearer <token>; the bearer authentication of the service',
    'const token = request.headers.get("authorization");',
    'A commit: 3b18e512dba79e4c8300dd08aeb37f8e728b8dad, a uuid: 550e8400-e29b-41d4-a716-446655440000',
    'The tokens: 4096 of them. secret_name: billing',
    'sk-learn-contrib-and-other-names, do_not_use, sk_test_',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'Basic authentication, task-ghp_ and risk-based',
  ])('lets be: %s', async (text) => {
    expect(await foundIn(secrets, text)).toEqual([]);
  });

  it('does not take the middle of a longer word for a token', async () => {
    expect(await foundIn(secrets, `x${JWT} my-ghp_${part(36)}`)).toEqual([]);
  });
});
