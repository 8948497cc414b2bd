/**
 * CardDAV (RFC 6352) and CalDAV (RFC 4791, RFC 6638) over WebDAV: the protocols of phones and calendar
 * programs.
 *
 * - `core/`: addresses, conditions, multistatus answers; `request/`: parts common to all methods; `writing/`:
 *   objects;
 * - `methods/` and `reports/`: a file for each, with tables of them all;
 * - `properties/`: reading and setting properties of resources;
 * - `query/`: filters; `xml/`: reading and writing XML.
 *
 * May import the store, groupware, mail and config below it, and web/http; serve/ provides logins and outgoing
 * connections.
 *
 * @module
 */
import type { Account } from "../store/account/account.ts";
import { guestView } from "../groupware/guest_view.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import { StoreError } from "../store/types.ts";
import { HttpError, programLogin, type WebHandler, type WebRequest } from "../web/http/mod.ts";
import { allowed, davHeader } from "./core/allow.ts";
import { DavError, errorDocument } from "./core/errors.ts";
import { ifHolds } from "./core/if_header.ts";
import { type Context, pathBelow, resolve } from "./core/resources.ts";
import { syncToken } from "./core/sync_token.ts";
import { methods } from "./methods/table.ts";
import { Bodies } from "./request/bodies.ts";
import { addressesOf } from "./properties/people.ts";
import type { DavServices } from "./services.ts";

export type { DavServices } from "./services.ts";

export interface Dav {
  /** Answers requests below an address such as "/dav/". */
  handler(path: string): WebHandler;
  /** Answers PROPFIND of the host's "/" (RFC 6764 §6): as the address of the service, and under the name "/". */
  root(path: string): WebHandler;
  /** Redirects programs from the well-known addresses (RFC 6764 §5, and those that Apple's programs try). */
  elsewhere(path: string): WebHandler;
}

/** Accounts opened by a request, until its answer is sent. */
class Opened {
  readonly #s: DavServices;
  readonly #accounts = new Map<string, Promise<Account | undefined>>();

  constructor(services: DavServices) {
    this.#s = services;
  }

  async open(name: string): Promise<Groupware | undefined> {
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = this.#s.accounts.open(name).catch((err) => {
        if (err instanceof StoreError && err.code === "accountMissing") return undefined;
        throw err;
      });
      this.#accounts.set(name, account);
    }
    return await (await account)?.groupware();
  }

  async close(): Promise<void> {
    for (const a of this.#accounts.values()) (await a.catch(() => undefined))?.close();
    this.#accounts.clear();
  }
}

/** Whether a user may know of another account: one with an address in one of the user's domains. */
function knows(services: DavServices, user: string, other: string): boolean {
  if (user === other) return true;
  if (services.config.account(other) === undefined) return false;
  const domain = (a: string) => a.slice(a.lastIndexOf("@") + 1).toLowerCase();
  const mine = new Set(addressesOf(services, user).map(domain));
  return addressesOf(services, other).some((a) => mine.has(domain(a)));
}

/** An answer that calls back when it is sent or cancelled. */
function ending(response: Response, done: () => void): Response {
  if (response.body === null) {
    done();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: end, value } = await reader.read();
        if (!end) return controller.enqueue(value);
        done();
        controller.close();
      } catch (err) {
        done();
        throw err;
      }
    },
    async cancel(reason) {
      done();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}

/** Creates the handlers. */
export function openDav(services: DavServices): Dav {
  const bodies = new Bodies();
  const answer = async (req: WebRequest, base: string, asked?: string): Promise<Response> => {
    const method = methods.get(req.method);
    if (method === undefined) {
      throw new DavError(501, `there is no method ${req.method} here`);
    }
    // Another site must not make a browser that knows the password send requests.
    if (["cross-site", "same-site"].includes(req.headers.get("sec-fetch-site") ?? "")) {
      throw new DavError(403, "requests from pages of other sites are refused");
    }
    // Programs ask for the server's capabilities before they have a login.
    if (req.method === "OPTIONS" && req.headers.get("authorization") === null) {
      return new Response(null, {
        status: 200,
        headers: { "DAV": davHeader, "Allow": allowed({ kind: "root" }), "Content-Length": "0" },
      });
    }
    const coding = req.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
    if (coding !== "" && coding !== "identity") {
      // RFC 9110 §15.5.16
      throw new DavError(415, "bodies are taken without a Content-Encoding", undefined, {
        "Accept-Encoding": "identity",
      });
    }
    const user = await programLogin(services, req, "dav");
    const opened = new Opened(services);
    const ctx: Context = {
      user: user.account,
      base,
      origin: req.origin,
      async open(name) {
        const g = await opened.open(name);
        return g === undefined || name === user.account ? g : await guestView(g);
      },
      knows: (name) => knows(services, user.account, name),
    };
    let response: Response;
    try {
      const r = await resolve(ctx, req.path);
      await checkIf(ctx, req);
      response = await method.run({
        req: bodies.inTurn(req, user.account),
        p: { s: services, ctx },
        r,
        slash: req.path.endsWith("/"),
        asked,
      });
    } catch (err) {
      await opened.close();
      throw err;
    }
    response.headers.set("DAV", davHeader);
    return ending(response, () => void opened.close());
  };

  const handler = (base: string, asked?: string): WebHandler => async (req) => {
    try {
      return await answer(req, base, asked);
    } catch (err) {
      if (err instanceof DavError) return errorResponse(err);
      if (err instanceof StoreError && err.code === "busy") throw new HttpError(503, err.message);
      throw err;
    }
  };

  return {
    handler,
    root: (base) => handler(base, "/"),
    elsewhere: (base) => () =>
      new Response(null, { status: 301, headers: { Location: base, DAV: davHeader } }),
  };
}

function errorResponse(err: DavError): Response {
  return new Response(errorDocument(err), {
    status: err.status,
    headers: {
      "Content-Type": "application/xml; charset=utf-8",
      "Cache-Control": "no-store",
      "DAV": davHeader,
      ...err.headers,
    },
  });
}

/** The If header, if there is one. @throws DavError 412 */
async function checkIf(ctx: Context, req: WebRequest): Promise<void> {
  const header = req.headers.get("if");
  if (header === null) return;
  const holds = await ifHolds(header, async (resource) => {
    const path = resource === undefined ? req.path : pathBelow(ctx, resource);
    const r = path === undefined ? undefined : await resolve(ctx, path);
    return {
      etag: r?.kind === "object" ? r.object.etag : undefined,
      tokens: r?.kind === "collection" ? [syncToken(r.g, r.collection, r.collection.modseq)] : [],
    };
  });
  if (!holds) throw new DavError(412, "If: none of its lists holds");
}
