/**
 * Several services on one port: of those for the request's host, the one with the longest matching path.
 *
 * @module
 */
import { parseIp } from "../../net/mod.ts";
import { requestOfLastHop } from "./forwarded.ts";
import { below } from "./request.ts";
import { redirect } from "./respond.ts";
import type { HttpHandlers } from "./answering.ts";
import { HttpError, type WebRequest, type WebService } from "./types.ts";

/** The request's host: lower case, without port. */
export function requestHost(req: WebRequest): string {
  return req.url.hostname.toLowerCase().replace(/\.$/, "");
}

/**
 * Hosts under which the pages of a listener are available: an IP address, localhost, or its name. Any other
 * name would allow DNS rebinding.
 */
export function ownHost(listenerName: string): (host: string) => boolean {
  return (host) =>
    host === listenerName || host === "localhost" ||
    parseIp(host.replace(/^\[|\]$/g, "")) !== undefined;
}

/** Routes requests to services. */
export function routeServices(services: readonly WebService[]): HttpHandlers {
  const sorted = [...services].sort((a, b) => b.path.length - a.path.length);

  const find = (req: WebRequest): WebService | undefined => {
    const host = requestHost(req);
    return sorted.find((s) =>
      s.host(host) && (req.path.startsWith(s.path) || req.path === s.path.slice(0, -1))
    );
  };

  /** The request as a service gets it. */
  const given = (service: WebService, req: WebRequest): WebRequest => ({
    ...below(
      service.forwarded === true ? requestOfLastHop(req) : req,
      req.path.slice(service.path.length - 1),
    ),
    sibling: (name) => sorted.find((x) => x.name === name && x.host(requestHost(req)))?.path,
  });

  return {
    service: (req) => find(req)?.name ?? "none",
    handle(req) {
      const s = find(req);
      if (s === undefined) {
        const known = sorted.some((x) => x.host(requestHost(req)));
        // RFC 9110 §15.5.20: this server does not answer for that name.
        throw known ? new HttpError(404, "not found") : new HttpError(421, "no such host here");
      }
      if (req.path === s.path.slice(0, -1) && s.exact !== true) {
        return redirect(308, `${s.path}${req.url.search}`);
      }
      return s.handle(given(s, req));
    },
    upgrade(req) {
      const s = find(req);
      if (s?.upgrade === undefined) return undefined;
      if (!req.path.startsWith(s.path) && s.exact !== true) return undefined;
      const { upgrade } = s;
      return (_r, socket, head) => upgrade(given(s, req), socket, head);
    },
  };
}
