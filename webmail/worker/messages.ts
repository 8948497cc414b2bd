/**
 * What pages and the worker that holds their event stream tell each other. `page` names one connection of a page, a new
 * one each time it connects.
 *
 * @module
 */

/** From a page. */
export type ToWorker =
  /** It wants to join the stream. */
  | { kind: "open"; page: string }
  /** It is still there. */
  | { kind: "here"; page: string }
  | { kind: "close"; page: string }
  /** The server doesn't know the stream. */
  | { kind: "stale"; page: string; stream: string };

/** To a page. */
export type FromWorker =
  /** The stream to join. */
  | { kind: "stream"; page: string; stream: string }
  | { kind: "event"; page: string; event: unknown }
  /** Nothing comes any more: it has to connect again. */
  | { kind: "broken"; page: string };

/** The worker's script and name; the number is that of these messages. */
export const eventsWorker = { url: "shared_events.js", name: "mox-webmail-events-1" };
