/**
 * The event stream: one connection for everything that the server reports, re-established when it breaks.
 *
 * @module
 */
import * as v from "valibot";
import { ServerEvent, type View } from "../api/mod.ts";
import { connectEvents, type EventsSource } from "./event_source.ts";

/** State of the connection. */
export type ConnectionState = "connecting" | "connected" | "waiting" | "ended";

export interface EventsOptions {
  /** The view to ask for when connecting. */
  view: () => View;
  onEvent: (event: ServerEvent) => void;
  /** `seconds` until the next attempt, with "waiting". */
  onState: (state: ConnectionState, seconds?: number) => void;
}

export interface Events {
  /** Tries immediately. */
  reconnect(): void;
  close(): void;
}

/** Milliseconds without any event after which the connection counts as broken. */
const silence = 60_000;
const delays = [1, 2, 5, 10, 20, 30];

/** Opens the stream and keeps it open. */
export function openEvents(options: EventsOptions): Events {
  let source: EventsSource | undefined;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let ended = false;

  const drop = () => {
    clearTimeout(quiet);
    clearTimeout(retry);
    source?.close();
    source = undefined;
  };
  const broken = () => {
    drop();
    if (ended) return;
    const seconds = delays[Math.min(failures++, delays.length - 1)];
    options.onState("waiting", seconds);
    // Spread out, so that a restarted server isn't asked by everybody at once.
    retry = setTimeout(connect, seconds * 1000 * (0.8 + Math.random() * 0.4));
  };
  const heard = () => {
    clearTimeout(quiet);
    quiet = setTimeout(broken, silence);
  };
  const connect = () => {
    drop();
    options.onState("connecting");
    heard();
    const onValue = (value: unknown) => {
      heard();
      const parsed = v.safeParse(ServerEvent, value);
      if (!parsed.success) {
        console.error("event that does not fit", parsed.issues[0]);
        return;
      }
      const event = parsed.output;
      if (event.kind === "start") {
        failures = 0;
        options.onState("connected");
      }
      if (event.kind === "end") {
        ended = true;
        drop();
        options.onState("ended");
      }
      options.onEvent(event);
    };
    source = connectEvents({ view: options.view, onValue, onBroken: broken });
  };
  const online = () => {
    if (!ended && retry !== undefined) {
      failures = 0;
      connect();
    }
  };
  globalThis.addEventListener("online", online);
  globalThis.addEventListener("offline", broken);
  connect();
  return {
    reconnect: () => {
      failures = 0;
      connect();
    },
    close: () => {
      ended = true;
      globalThis.removeEventListener("online", online);
      globalThis.removeEventListener("offline", broken);
      drop();
    },
  };
}
