// Where Microsoft Graph is to send notifications about an issuer's directories, and what it must say with each.

import type { Secret } from '#core/secret.ts';

export type ChannelQuestion = { readonly tenantId: string; readonly issuerId: string };

/** What an order at Graph is given (change notifications, `notificationUrl` and `clientState`). */
export type NotificationAddress = { readonly notificationUrl: string; readonly clientState: Secret };

/** `off`: no receiver listens here. `unknown`: the issuer asks for no notifications. */
export type ChannelFault = 'off' | 'unknown';
