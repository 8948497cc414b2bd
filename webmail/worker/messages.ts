/**
 * Messages between pages and the worker that holds their event stream. `page` names one connection of a page, a new
 * one each time it connects.
 *
 * @module
 */

/** From a page to the worker. */
export type ToWorker =
  /** Asks to join the stream. */
  | { kind: "open"; page: string }
  /** The page still exists. */
  | { kind: "here"; page: string }
  | { kind: "close"; page: string }
  /** The server doesn't know the stream. */
  | { kind: "stale"; page: string; stream: string };

/** From the worker to a page. */
export type FromWorker =
  /** The stream to join. */
  | { kind: "stream"; page: string; stream: string }
  | { kind: "event"; page: string; event: unknown }
  /** The stream has ended: the page has to connect again. */
  | { kind: "broken"; page: string };

/** The worker's script and name; the number is the version of these messages. */
export const eventsWorker = { url: "shared_events.js", name: "mox-webmail-events-1" };
