/** Pushing by an event stream (RFC 8620 §7.3). @module */
import { HttpError, type WebRequest } from "../../web/http/mod.ts";
import type { LoggedInUser } from "../core/method.ts";
import { alertType } from "../push/alert.ts";
import { type AllStates, packStates, unpackStates } from "../push/states.ts";
import { Watcher } from "../push/watcher.ts";
import type { JmapServices } from "../services.ts";

/** Seconds between pings. */
const shortestPing = 1;
const longestPing = 3600;

interface Options {
  types: ReadonlySet<string> | undefined;
  closeAfterState: boolean;
  /** Seconds; 0 for none. */
  ping: number;
}

/** @throws HttpError 400 */
function optionsOf(url: URL): Options {
  const p = url.searchParams;
  const types = p.get("types") ?? "*";
  const closeafter = p.get("closeafter") ?? "no";
  const ping = p.get("ping") ?? "0";
  if (!/^(?:\*|[A-Za-z]+(?:,[A-Za-z]+)*)$/.test(types)) {
    throw new HttpError(400, "types must be * or names with commas between them");
  }
  if (closeafter !== "no" && closeafter !== "state") {
    throw new HttpError(400, "closeafter must be state or no");
  }
  if (!/^\d{1,9}$/.test(ping)) throw new HttpError(400, "ping must be seconds");
  const seconds = Number(ping);
  return {
    types: types === "*" ? undefined : new Set(types.split(",")),
    closeAfterState: closeafter === "state",
    ping: seconds === 0 ? 0 : Math.min(longestPing, Math.max(shortestPing, seconds)),
  };
}

/** Follows the account until the client goes away, or the server stops. */
export function answerEventSource(
  services: JmapServices,
  user: LoggedInUser,
  req: WebRequest,
  done: () => void,
): Response {
  const o = optionsOf(req.url);
  const since = unpackStates(req.headers.get("last-event-id") ?? "");
  const encoder = new TextEncoder();
  let watcher: Watcher | undefined;
  let ended = false;
  let end = () => {};
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      const timers: ReturnType<typeof setInterval>[] = [];
      end = () => {
        if (ended) return;
        ended = true;
        for (const t of timers) clearInterval(t);
        watcher?.close();
        alertsOver();
        over();
        req.signal.removeEventListener("abort", end);
        req.stopping.removeEventListener("abort", end);
        done();
        try {
          controller.close();
        } catch {
          // The client is gone.
        }
      };
      // It ends with its credential, such as a changed password.
      const over = services.loggedIn({ ...user, end: () => end() });
      let alertsOver = () => {};
      req.signal.addEventListener("abort", end);
      req.stopping.addEventListener("abort", end);
      const send = (event: string, data: unknown, id?: string) => {
        if (ended) return;
        // A client that doesn't read gets no more, and is cut off when the answer is overdue.
        if ((controller.desiredSize ?? 0) < -64 * 1024) return end();
        const text = `event: ${event}\n${id ? `id: ${id}\n` : ""}data: ${JSON.stringify(data)}\n\n`;
        controller.enqueue(encoder.encode(text));
      };
      if (o.types?.has(alertType)) {
        // jmap-calendars §6.4 names the event so.
        alertsOver = services.alerts.on(user.account, (alert) => send("calendaralert", alert));
      }
      controller.enqueue(encoder.encode(": follows\n\n"));
      const tell = (changed: AllStates, all: AllStates) => {
        send("state", { "@type": "StateChange", changed }, packStates(all));
        if (o.closeAfterState) end();
      };
      try {
        watcher = await Watcher.start(services, user, { types: o.types, since, tell });
      } catch (err) {
        req.log.error("event stream", { err: err as Error });
        return end();
      }
      if (ended || req.signal.aborted || req.stopping.aborted) {
        watcher.close();
        return end();
      }
      if (o.ping > 0) {
        timers.push(setInterval(() => send("ping", { interval: o.ping }), o.ping * 1000));
      }
    },
    cancel: () => end(),
  }, new ByteLengthQueuingStrategy({ highWaterMark: 16 * 1024 }));
  return new Response(stream, {
    headers: {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-cache, no-store",
      "X-Accel-Buffering": "no",
    },
  });
}
