/**
 * JMAP (RFC 8620, RFC 8621): the protocol of modern mail programs, over HTTP with JSON.
 *
 * - `core/`: requests, references to results, errors, running method calls;
 * - `methods/`: a file for each method, in the folder of its type of object; `table.ts` lists them all;
 * - `http/`: the URLs of a session;
 * - `blobs/`: binary data;
 * - `sharing/`: rights of others on mailboxes, and notifications of rights granted elsewhere.
 *
 * May import the store, mail, queue and config below it, and web/http; serve/ provides logins and submission
 * and attaches it to listeners.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { Log } from "../log/mod.ts";
import {
  HttpError,
  jsonResponse,
  type UpgradeHandler,
  type WebHandler,
  type WebRequest,
} from "../web/http/mod.ts";
import { RequestError } from "./core/errors.ts";
import { maxConcurrentRequests, maxConcurrentUpload } from "./core/limits.ts";
import { answerApi, problemResponse } from "./http/api.ts";
import { checkOrigin, preflight, withCors } from "./http/cors.ts";
import { answerDownload } from "./http/download.ts";
import { answerEventSource } from "./http/event_source.ts";
import { authenticate } from "./http/login.ts";
import { Running } from "./http/running.ts";
import { sessionObject } from "./http/session.ts";
import { answerUpload } from "./http/upload.ts";
import { acceptUpgrade, JmapSocket, upgradeError } from "./http/websocket.ts";
import { noteEventChange } from "./calendars/event_notifications.ts";
import { noteRightsChange } from "./sharing/rights_changes.ts";
import type { EventChange } from "../store/groupware/types.ts";
import type { RightsChange } from "../store/mailboxes/shares.ts";
import type { JmapServices } from "./services.ts";

export { Uploads } from "./blobs/uploads.ts";
export { CalendarAlerts } from "./push/alerts.ts";
export { Pusher } from "./push/pusher.ts";
export { Signals } from "./push/signals.ts";
export { newVapidKey, Vapid } from "./push/vapid.ts";
export { SetError } from "./core/errors.ts";
export { ObjectStore } from "./objects/store.ts";
export type { JmapServices, JmapSubmission } from "./services.ts";

/** Most event streams and websockets of a user at a time. */
const maxStreams = 50;
const log = new Log("jmap");

/** Where a listener serves it. */
export interface JmapPlace {
  /** Path of the service on the same port, with slashes around it. */
  path: string;
  /** Origins of pages that may use it. */
  origins: readonly string[];
}

export interface Jmap {
  /** Answers requests below the service's path. */
  handler(place: JmapPlace): WebHandler;
  /** Notifies a user of rights changed elsewhere. On disk when it resolves; it never fails. */
  noteRights(change: RightsChange): Promise<void>;
  /**
   * Notifies everybody who sees a calendar of a change of an event in it. On disk when it resolves; it never
   * fails.
   */
  noteEvent(owner: string, change: EventChange): Promise<void>;
  /** Takes over websockets below the service's path. */
  upgrade(place: JmapPlace): UpgradeHandler;
  /** Answers /.well-known/jmap (RFC 8620 §2.2). */
  wellKnown(place: JmapPlace): WebHandler;
  /** Forgets the data of removed accounts, as their names may be used again. */
  forgetRemoved(): Promise<void>;
  close(): Promise<void>;
}

/** Creates the handlers. */
export function openJmap(services: JmapServices): Jmap {
  const requests = new Running(maxConcurrentRequests);
  const uploads = new Running(maxConcurrentUpload);
  const streams = new Running(maxStreams);
  services.pusher.start().catch((err) => log.error("push subscriptions", { err: err as Error }));

  services.alerts.start();

  const session = async (req: WebRequest, place: JmapPlace): Promise<Response> => {
    allow(req, "GET", "HEAD");
    const user = await authenticate(services, req);
    return jsonResponse(200, sessionObject(services, user, req.origin + place.path), {
      "Cache-Control": "no-cache, no-store, must-revalidate",
    });
  };

  const route = async (req: WebRequest, place: JmapPlace): Promise<Response> => {
    const [what, ...rest] = req.path.slice(1).split("/");
    switch (what) {
      case "":
      case "session":
        return rest.length === 0 ? await session(req, place) : notFound();
      case "api": {
        if (rest.length > 0 && rest[0] !== "") notFound();
        allow(req, "POST");
        const user = await authenticate(services, req);
        return await requests.run(user.account, () => answerApi(services, user, req)) ??
          tooMany("maxConcurrentRequests");
      }
      case "upload": {
        if (rest.length === 0 || rest.length > 2 || rest[0] === "") notFound();
        allow(req, "POST");
        const user = await authenticate(services, req);
        return await uploads.run(
          user.account,
          () => answerUpload(services, user, req, decoded(rest[0])),
        ) ??
          tooMany("maxConcurrentUpload");
      }
      case "download": {
        if (rest.length < 2) notFound();
        allow(req, "GET", "HEAD");
        const user = await authenticate(services, req);
        const name = decoded(rest.slice(2).join("/")) || "file";
        return await answerDownload(services, user, req, decoded(rest[0]), decoded(rest[1]), name);
      }
      case "eventsource": {
        if (rest.length > 0 && rest[0] !== "") notFound();
        allow(req, "GET");
        const user = await authenticate(services, req);
        const done = streams.begin(user.account);
        if (done === undefined) {
          throw new HttpError(429, `more than ${maxStreams} event streams and websockets`);
        }
        try {
          return answerEventSource(services, user, req, done);
        } catch (err) {
          done();
          throw err;
        }
      }
      default:
        return notFound();
    }
  };

  const upgrade = async (
    req: WebRequest,
    place: JmapPlace,
    socket: Duplex,
    head: Uint8Array,
  ): Promise<void> => {
    const refuse = (status: number, message: string, headers: Record<string, string> = {}) => {
      const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join("");
      socket.end(
        `HTTP/1.1 ${status} ${message}\r\n${lines}Connection: close\r\nContent-Length: 0\r\n\r\n`,
      );
    };
    if (req.path !== "/ws") return refuse(404, "Not Found");
    try {
      checkOrigin(req, place.origins);
      const wrong = upgradeError(req);
      if (wrong) return refuse(wrong.status, wrong.message, { "Sec-WebSocket-Version": "13" });
      const user = await authenticate(services, req);
      const done = streams.begin(user.account);
      if (done === undefined) return refuse(429, "too many websockets");
      try {
        socket.write(acceptUpgrade(req));
        await new JmapSocket(services, user, req, socket, requests).run(head);
      } finally {
        done();
      }
    } catch (err) {
      if (!(err instanceof HttpError)) throw err;
      refuse(err.status, err.message, err.headers);
    }
  };

  const guarded =
    (answer: (req: WebRequest, place: JmapPlace) => Promise<Response>) =>
    (place: JmapPlace): WebHandler =>
    async (req) => {
      const { origins } = place;
      if (req.method === "OPTIONS") return preflight(req, origins);
      try {
        checkOrigin(req, origins);
        return withCors(req, origins, await answer(req, place));
      } catch (err) {
        // A page must be able to read why it was refused.
        if (!(err instanceof HttpError)) throw err;
        // RFC 8620 §6.1, §6.2: a problem document without a specific type (RFC 7807 §4.2).
        const problem = { type: "about:blank", status: err.status, detail: err.message };
        const r = jsonResponse(err.status, problem, err.headers);
        r.headers.set("Content-Type", "application/problem+json");
        return withCors(req, origins, r);
      }
    };

  return {
    handler: guarded(route),
    upgrade: (place) => (req, socket, head) => upgrade(req, place, socket, head),
    wellKnown: guarded((req, place) => req.path === "/" ? session(req, place) : notFound()),
    async noteRights(change) {
      try {
        await noteRightsChange(services, change);
      } catch (err) {
        log.error("a change of rights can't be told", {
          account: change.account,
          err: err as Error,
        });
      }
    },
    async noteEvent(owner, change) {
      try {
        await noteEventChange(services, owner, change);
      } catch (err) {
        log.error("a change of an event can't be told", { account: owner, err: err as Error });
      }
    },
    async forgetRemoved() {
      for (const type of services.objects.types()) {
        const owner = /^(?:event|look)\/(.*)$/.exec(type)?.[1];
        if (owner !== undefined && services.config.account(owner) === undefined) {
          await services.objects.forgetType(type);
        }
      }
      for (const name of services.objects.accounts()) {
        if (services.config.account(name) === undefined) await services.objects.forget(name);
      }
      services.uploads.forgetOthers((name) => services.config.account(name) !== undefined);
    },
    async close() {
      services.uploads.close();
      services.pusher.close();
      await services.alerts.close();
      await services.objects.close();
    },
  };
}

function notFound(): never {
  throw new HttpError(404, "not found");
}

function allow(req: WebRequest, ...methods: string[]): void {
  if (methods.includes(req.method)) return;
  const all = [...methods, "OPTIONS"].join(", ");
  throw new HttpError(405, `only ${methods.join(" and ")} here`, { Allow: all });
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, "bad percent-encoding in the address");
  }
}

function tooMany(limit: "maxConcurrentRequests" | "maxConcurrentUpload"): Response {
  const most = limit === "maxConcurrentUpload" ? maxConcurrentUpload : maxConcurrentRequests;
  return problemResponse(
    new RequestError("limit", `more than ${most} at a time`, { status: 429, limit }),
  );
}
