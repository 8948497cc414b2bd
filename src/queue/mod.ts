/**
 * The outgoing queue.
 *
 * May import platform, log, metrics, mail, net, dns, config, store, tlspolicy and smtp/client. Used by
 * submission, the web pages, DSNs and the control socket.
 *
 * @module
 */
export { remoteDeliverer, type RemoteDelivererOptions } from "./sending/deliverer.ts";
export { maxDeliveries, maxPerDestination, maxRunning, runningForNew } from "./scheduling/due.ts";
export type { HoldRule } from "./hold_rules.ts";
export type { QueueFilter, QueueOrder } from "./list.ts";
export { messageBytes } from "./sending/hand_over.ts";
export { localDeliverer } from "./sending/localserve.ts";
export { queueOfAccounts } from "./schema.ts";
export { hooksOfAccounts } from "./webhooks/rows.ts";
export { Queue } from "./queue.ts";
export { baseAddress, isHardBounce, type RetiredItem, type Suppression } from "./retired.ts";
export { transportFor } from "./sending/routes.ts";
export { backoff, delayedAfter, maxAttempts } from "./scheduling/schedule.ts";
export {
  type Attempt,
  type Clock,
  type DeliverBy,
  type Deliverer,
  type DsnEvent,
  type Failure,
  type NewQueueMessage,
  type NewQueueRecipient,
  type Notify,
  type OutgoingEvent,
  type Priority,
  type QueueItem,
  QueueLimitError,
  type QueueMessage,
  type QueueOptions,
  type Result,
  type SendingLimits,
} from "./types.ts";
export type { SourceAddress } from "./sending/way.ts";
