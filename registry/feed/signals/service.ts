// The registry's end of questions where a provider is to send its notifications, beside the feed and on its address.

import type { Result } from '#core/result.ts';
import type { ChannelFault, ChannelQuestion, NotificationAddress } from '#core/signal-channel.ts';
import {
  formatAnswer,
  type OpenRequest,
  type OpenResponse,
  parseQuestion,
  SIGNAL_SERVICE,
} from '#registry/feed/signals/wire.ts';
import { answerUnary } from '#registry/feed/unary-service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Logger } from '#runtime/logger.ts';

/** @param open where it is to send them (registry/signals). */
export const createSignalService = (
  open: (question: ChannelQuestion) => Promise<Result<NotificationAddress, ChannelFault>>,
  logger: Logger,
): GrpcService => ({
  definition: SIGNAL_SERVICE,
  implementation: {
    Open: answerUnary<OpenRequest, OpenResponse, ChannelQuestion>({
      parse: ({ question }) => parseQuestion(question),
      answer: async (question) => ({ answer: formatAnswer(await open(question)) }),
      trouble: 'nobody could be told where to send notifications',
      logger,
    }),
  },
});
