// Where Graph sends notifications to: answers the handshake of a new order and keeps what it is told.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Notification = {
  readonly clientState: string;
  readonly changeType: string;
  readonly tenantId: string;
};

export type NotificationReceiver = {
  readonly origin: string;
  readonly heard: Notification[];
  stop(): void;
};

export const startNotificationReceiver = async (): Promise<NotificationReceiver> => {
  const heard: Notification[] = [];
  const server = createServer((request, response) => {
    const token = new URL(request.url ?? '/', 'http://here').searchParams.get('validationToken');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (token === null) heard.push(...JSON.parse(Buffer.concat(chunks).toString()).value);
      response.writeHead(token === null ? 202 : 200, { 'content-type': 'text/plain' }).end(token ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, heard, stop: () => void server.close() };
};
