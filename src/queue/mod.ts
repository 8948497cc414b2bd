/**
 * The outgoing queue.
 *
 * May import platform, log, metrics, mail, net, dns, store. Used by submission, the web pages, DSNs and
 * the control socket.
 *
 * @module
 */
export { localDeliverer } from "./localserve.ts";
export { maxDeliveries, maxPerDestination, Queue } from "./queue.ts";
export { backoff, delayedAfter, maxAttempts } from "./schedule.ts";
export type {
  Attempt,
  Clock,
  Deliverer,
  DsnEvent,
  NewQueueMessage,
  NewQueueRecipient,
  Notify,
  QueueItem,
  QueueMessage,
  QueueOptions,
  Result,
} from "./types.ts";
