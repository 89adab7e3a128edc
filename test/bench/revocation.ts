// `npm run bench:revocation`: seconds from a revocation, by the operators' API and by a Security Event Token, to the first
// refused call, and to the end of an open stream, through the whole product with calls running; and what a mark costs a call's judgement among a hundred
// thousand others. Real Envoy, real processes; read the distribution, not one figure.

import type { Revocation } from '#core/revocation.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { CONTOSO_TID } from '#demo/directory.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { createLegacyCalls, reasonOf } from '#test/support/legacy-calls.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool } from '#test/support/raw-call.ts';
import { CAEP, startTransmitter, type Transmitter } from '#test/support/ssf-transmitter.ts';

const ALICE = '10000000-aaaa-4aaa-8aaa-00000000000a';
const ROUNDS = 10;
const MARKS = 100_000;
const LOOKUPS = 200_000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0;

const seconds = (values: readonly number[]): string =>
  [0.5, 1]
    .map((part) => (quantile(values, part) / 1000).toFixed(3))
    .join(' s median, ')
    .concat(' s longest');

type Round = { readonly acceptedMs: number; readonly refusedMs: number; readonly endedMs: number };

/** Ends what the person holds; resolves when that was answered. */
type Revoke = () => Promise<Response>;

const runRound = async (product: Product, revoke: Revoke): Promise<Round> => {
  const token = await product.token('alice');
  const reports = await product.token('alice', '--server', 'reports');
  const stream = await createLegacyCalls(() => product.serverUrl('reports')).openIdle(reports);
  const isRefused = async (): Promise<boolean> => {
    const answer = await callTool(product.serverUrl('tracker'), token, { name: 'list_issues' });
    return reasonOf(answer) === 'token_revoked';
  };
  if (await isRefused()) throw new Error('a fresh token is refused');
  const startedAt = performance.now();
  const answer = revoke().then((response) => {
    if (!response.ok) throw new Error(`the registry answered ${response.status}`);
    return performance.now() - startedAt;
  });
  while (!(await isRefused()));
  const refusedMs = performance.now() - startedAt;
  const endedMs = (await stream.ended) - startedAt;
  return { acceptedMs: await answer, refusedMs, endedMs };
};

/** A token of the mark's own second is refused: each round waits until that is over. */
const secondIsOver = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, 2_000 - (Date.now() % 1_000)));

const measureChannel = async (title: string, product: Product, revoke: Revoke): Promise<void> => {
  const rounds: Round[] = [];
  for (let count = 0; count < ROUNDS; count += 1) {
    rounds.push(await runRound(product, revoke));
    await secondIsOver();
  }
  print(`${title}, ${ROUNDS} rounds with calls running, from the request on:`);
  print(`  answered by the registry   ${seconds(rounds.map(({ acceptedMs }) => acceptedMs))}`);
  print(`  first refused call         ${seconds(rounds.map(({ refusedMs }) => refusedMs))}`);
  print(`  open stream ended          ${seconds(rounds.map(({ endedMs }) => endedMs))}`);
};

const byOperator = async (product: Product): Promise<Revoke> => {
  const admin = await product.token('--admin');
  return () =>
    fetch(`${product.quickstart.registry}/v1/tenants/default/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        target: { kind: 'directory-user', tid: CONTOSO_TID, oid: ALICE },
        reason: 'measured',
      }),
    });
};

/** A complex subject of directory and person, because the stream is under a token of another application. */
const bySignal =
  (events: string, transmitter: Transmitter): Revoke =>
  async () =>
    fetch(events, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt' },
      body: await transmitter.sign(`${CAEP}/session-revoked`, {}),
    });

const measureSignals = async (product: Product, port: number): Promise<void> => {
  const events = `http://127.0.0.1:${port}/v1/signals/default/contoso/events`;
  const transmitter = await startTransmitter('https://ssf.contoso.example', {
    audience: events,
    subject: {
      format: 'complex',
      user: { format: 'opaque', id: ALICE },
      tenant: { format: 'opaque', id: CONTOSO_TID },
    },
    nowMs: Date.now,
  });
  try {
    const sharedSignals = { transmitter: transmitter.issuer, jwksUri: transmitter.keyServer.url };
    const path = '/v1/tenants/default/issuers/contoso';
    const headers = { 'if-match': '*', 'content-type': 'application/merge-patch+json' };
    const { status } = await product.registry('PATCH', path, { signals: { sharedSignals } }, headers);
    if (status !== 200) throw new Error(`the registry answered ${status}`);
    await measureChannel('Shared Signals', product, bySignal(events, transmitter));
  } finally {
    await transmitter.stop();
  }
};

const measureChannels = async (): Promise<void> => {
  const [port = 0] = await findFreePorts(1);
  const product = await startProduct({ SIGNALS_PORT: String(port) });
  try {
    await measureChannel("operators' API", product, await byOperator(product));
    await measureSignals(product, port);
  } finally {
    await product.stop();
  }
};

const markOn = (index: number): Revocation => ({
  id: `mark-${index}`,
  tenantId: 'acme',
  target: { kind: 'subject', issuerId: 'home', subject: `person-${index}` },
  notBefore: 1_000,
  source: 'operator',
  reason: 'measured',
  at: '2026-01-01T12:00:00.000Z',
  until: 9_999_999_999,
});

const timeLookups = (marks: number): number => {
  const book = createRevocationBook();
  for (let index = 0; index < marks; index += 1) book.take(markOn(index), 0);
  const facts = { issuerId: 'home', tid: CONTOSO_TID, oid: ALICE, tokenId: 'a1', issuedAt: 2_000 };
  const startedAt = performance.now();
  for (let count = 0; count < LOOKUPS; count += 1)
    book.find('acme', { ...facts, subject: `person-${count % 1_000}` });
  return ((performance.now() - startedAt) / LOOKUPS) * 1_000;
};

const measureLookups = (): void => {
  timeLookups(1_000);
  for (const marks of [10, MARKS])
    print(`judging a call among ${marks} marks: ${timeLookups(marks).toFixed(2)} µs`);
};

measureLookups();
await measureChannels();
