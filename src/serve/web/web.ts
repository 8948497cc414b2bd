/**
 * Web listeners: which configured services are on which port, and starting them.
 *
 * @module
 */
import type { Server } from "node:net";
import type { Config, Listener } from "../../config/mod.ts";
import type { Dav } from "../../dav/mod.ts";
import type { Jmap } from "../../jmap/mod.ts";
import { Log } from "../../log/mod.ts";
import {
  type Arrival,
  type ConnectionLimiter,
  type RateLimiter,
  type Secured,
  type ServerTls,
  type TcpServer,
  type TrustedProxies,
} from "../../net/mod.ts";
import {
  ownHost,
  redirect,
  routeServices,
  serveHttp,
  type UpgradeHandler,
  type WebHandler,
  type WebService,
} from "../../web/http/mod.ts";

/** A page or service of a web port, to show to the user. */
export interface WebPage {
  /** Such as "webmail". */
  name: string;
  /** Its first path; undefined for a service with its own host names. */
  path?: string;
}

/** A served protocol, to show to the user. */
export interface Endpoint {
  /** "HTTP" and "HTTPS" for ports with pages. */
  protocol: string;
  hostname: string;
  port: number;
  /** What a web port serves. */
  pages?: readonly WebPage[];
}

/** An endpoint's protocol and services: "HTTP (webmail at /webmail/, mtasts)". */
export function shownProtocol({ protocol, pages }: Pick<Endpoint, "protocol" | "pages">): string {
  if (pages === undefined) return protocol;
  const shown = pages.map(({ name, path }) => path === undefined ? name : `${name} at ${path}`);
  return `${protocol} (${shown.join(", ")})`;
}

/** The pages and services that listeners may have; those left out are not served. */
export interface WebHandlers {
  account?: WebHandler;
  admin?: WebHandler;
  webmail?: WebHandler;
  webapi?: WebHandler;
  /** Pages of mailing lists. */
  lists?: WebHandler;
  /** The API of caught mail, in localserve: on the webmail's port. */
  catcher?: { handle: WebHandler; upgrade: UpgradeHandler };
  /** Localserve: further host names allowed for the pages, in lower case. */
  hosts?: readonly string[];
  jmap?: Jmap;
  dav?: Dav;
  /** Answers on hosts of its own choice. */
  autoconfig?: { host: (name: string) => boolean; handle: WebHandler };
  mtasts?: { host: (name: string) => boolean; handle: WebHandler };
  webserver?: {
    host: (name: string) => boolean;
    handle: WebHandler;
    upgrade?: UpgradeHandler;
  };
  /** Challenges of ACME's http-01 at /.well-known/acme-challenge/, on plain HTTP. */
  acme?: WebHandler;
}

/** The services of one port. */
export interface WebPort {
  port: number;
  /** Served over TLS. */
  https: boolean;
  services: WebService[];
  pages: WebPage[];
  rateLimited: boolean;
}

/** What a listener serves, by port. */
export function webPorts(config: Config, listener: Listener, handlers: WebHandlers): WebPort[] {
  const hostname = (listener.Hostname || config.static.Hostname).toLowerCase();
  const ownNames = ownHost(hostname);
  const own = (host: string) => ownNames(host) || handlers.hosts?.includes(host) === true;
  // With TrustedProxies the listener itself decides whom to trust.
  const forwarded = (s: { Forwarded: boolean }) =>
    s.Forwarded && listener.TrustedProxies.length === 0;
  const ports = new Map<string, WebPort>();

  const on = (port: number, https: boolean): WebPort => {
    const key = `${port} ${https}`;
    let p = ports.get(key);
    if (p === undefined) {
      p = { port, https, services: [], pages: [], rateLimited: true };
      ports.set(key, p);
    }
    return p;
  };
  const page = (
    name: "account" | "admin" | "webmail" | "webapi" | "lists",
    https: boolean,
    s: Listener["AccountHTTP"],
    defaultPath: string,
  ) => {
    const handle = handlers[name];
    if (!s.Enabled || handle === undefined) return;
    const p = on(s.Port || (https ? 443 : 80), https);
    const path = s.Path || defaultPath;
    p.services.push({ name, path, host: own, handle, forwarded: forwarded(s) });
    p.pages.push({ name, path });
  };
  for (const https of [false, true]) {
    page("account", https, https ? listener.AccountHTTPS : listener.AccountHTTP, "/");
    page("webmail", https, https ? listener.WebmailHTTPS : listener.WebmailHTTP, "/webmail/");
    page("admin", https, https ? listener.AdminHTTPS : listener.AdminHTTP, "/admin/");
    const mail = https ? listener.WebmailHTTPS : listener.WebmailHTTP;
    if (mail.Enabled && handlers.catcher !== undefined) {
      const p = on(mail.Port || (https ? 443 : 80), https);
      // Next to the account page, whose calls are below /api/ too.
      // With two slashes: for test suites whose server URL ends in one, and a plugin for Cypress.
      const exactly = ["/api/events/", "/livez/", "/readyz/"];
      const paths = [
        "/api/v1/",
        "/api/v2/",
        "/view/",
        "/caught/",
        "//api/v1/",
        "//view/",
        ...exactly,
      ];
      for (const path of paths) {
        const exact = exactly.includes(path);
        p.services.push({ name: "catcher", path, host: own, exact, ...handlers.catcher });
      }
      p.pages.push({ name: "caught mail", path: "/caught/" }, {
        name: "test API",
        path: "/api/v1/",
      });
    }
    page("webapi", https, https ? listener.WebAPIHTTPS : listener.WebAPIHTTP, "/webapi/");
    page("lists", https, https ? listener.ListsHTTPS : listener.ListsHTTP, "/lists/");
  }
  for (const https of [false, true]) {
    const s = https ? listener.JMAPHTTPS : listener.JMAPHTTP;
    if (!s.Enabled || handlers.jmap === undefined) continue;
    const p = on(s.Port || (https ? 443 : 80), https);
    const place = { path: s.Path || "/jmap/", origins: s.AllowedOrigins };
    const common = { host: own, forwarded: forwarded(s) };
    p.services.push(
      {
        name: "jmap",
        path: place.path,
        handle: handlers.jmap.handler(place),
        upgrade: handlers.jmap.upgrade(place),
        ...common,
      },
      {
        name: "jmap",
        path: "/.well-known/jmap/",
        handle: handlers.jmap.wellKnown(place),
        exact: true,
        ...common,
      },
    );
    p.pages.push({ name: "jmap", path: place.path });
  }
  for (const https of [false, true]) {
    const s = https ? listener.DAVHTTPS : listener.DAVHTTP;
    if (!s.Enabled || handlers.dav === undefined) continue;
    const p = on(s.Port || (https ? 443 : 80), https);
    const path = s.Path || "/dav/";
    const common = { name: "dav", host: own, forwarded: s.Forwarded, exact: true };
    p.services.push({ path, handle: handlers.dav.handler(path), ...common });
    // RFC 6764 §5, and the paths that Apple's programs try.
    for (const place of ["/.well-known/caldav/", "/.well-known/carddav/", "/principals/"]) {
      p.services.push({ path: place, handle: handlers.dav.elsewhere(path), ...common });
    }
    p.pages.push({ name: "calendars and contacts", path });
  }
  const wellKnown = (
    name: "autoconfig" | "mtasts",
    s: Listener["MTASTSHTTPS"],
  ) => {
    const service = handlers[name];
    if (!s.Enabled || service === undefined) return;
    const p = on(s.Port || 443, !s.NonTLS);
    p.services.push({
      name,
      path: "/",
      host: service.host,
      handle: service.handle,
      forwarded: forwarded(s),
    });
    p.pages.push({ name });
  };
  wellKnown("autoconfig", listener.AutoconfigHTTPS);
  wellKnown("mtasts", listener.MTASTSHTTPS);
  for (const https of [false, true]) {
    const s = https ? listener.WebserverHTTPS : listener.WebserverHTTP;
    if (!s.Enabled || handlers.webserver === undefined) continue;
    const p = on(s.Port || (https ? 443 : 80), https);
    const { host, handle, upgrade } = handlers.webserver;
    p.services.push({ name: "webserver", path: "/", host, handle, upgrade });
    p.pages.push({ name: "webserver" });
    if (s.RateLimitDisabled) p.rateLimited = false;
  }
  const acme = listener.TLS && config.static.ACME.get(listener.TLS.ACME);
  if (acme) {
    // ACME challenges are checked there, even if nothing else is served.
    on(80, false);
    on(acme.Port, true);
  }
  if (listener.IMAPS.EnabledOnHTTPS || listener.Submissions.EnabledOnHTTPS) on(443, true);
  for (const p of ports.values()) {
    // If "/" has no page, it leads to the only one there is.
    const place = p.services.find((s) => s.name === "admin") ??
      p.services.find((s) => s.name === "webmail");
    const taken = p.services.some((s) => s.path === "/" && s.host === own);
    if (!taken && place !== undefined) {
      p.services.push({
        name: "root",
        path: "/",
        host: own,
        handle: (req) =>
          req.path === "/" ? redirect(307, place.path) : new Response(null, { status: 404 }),
      });
    }
    if (handlers.dav !== undefined) leadToDav(p, own, handlers.dav);
    if (!p.https && handlers.acme !== undefined) {
      const handle = handlers.acme;
      const path = "/.well-known/acme-challenge/";
      p.services.push({ name: "acme", path, host: () => true, handle });
    }
  }
  return [...ports.values()];
}

/**
 * Answers programs that ask for properties of "/", if a port has calendars and contacts (RFC 6764 §6): some know no
 * more than the host's name, and don't go where a redirect leads.
 */
function leadToDav(p: WebPort, own: WebService["host"], dav: Dav): void {
  const place = p.services.find((s) => s.name === "dav");
  if (place === undefined) return;
  const answer = dav.root(place.path);
  const root = p.services.find((s) => s.path === "/" && s.host === own);
  const handle: WebHandler = root?.handle ?? (() => new Response(null, { status: 404 }));
  const service: WebService = {
    ...root ?? { name: "root", path: "/", host: own },
    handle: (req) => req.path === "/" && req.method === "PROPFIND" ? answer(req) : handle(req),
  };
  p.services = [...p.services.filter((s) => s !== root), service];
}

/** How a listener's ports are served. */
export interface WebListenerOptions {
  tls: ServerTls | undefined;
  /** The bound socket. */
  listener: Server;
  limits: () => { connectionLimiter: ConnectionLimiter; rateLimiter: RateLimiter };
  /** Reverse proxies that are trusted about their clients. */
  proxies?: TrustedProxies;
  /** Other protocols on HTTPS ports, by the name negotiated in TLS (ALPN). */
  alpn?: ReadonlyMap<string, AlpnHandler>;
}

/** Serves a connection to its end. */
export type AlpnHandler = (
  made: Secured,
  cid: number,
  log: Log,
  arrival: Arrival,
) => Promise<void>;

/** Starts one port on one address. */
export async function serveWebPort(
  ip: string,
  port: WebPort,
  options: WebListenerOptions,
): Promise<TcpServer> {
  if (port.https && options.tls === undefined) {
    throw new Error(
      `port ${port.port} serves ${
        shownProtocol({ protocol: "HTTPS", pages: port.pages })
      }, but its listener has no TLS`,
    );
  }
  const tls: ServerTls | undefined = port.https
    ? { ...options.tls!, alpnProtocols: ["h2", "http/1.1", ...options.alpn?.keys() ?? []] }
    : undefined;
  const limits = options.limits();
  return await serveHttp({
    hostname: ip,
    port: port.port,
    listener: options.listener,
    tls,
    log: new Log("http"),
    connectionLimiter: limits.connectionLimiter,
    rateLimiter: port.rateLimited ? limits.rateLimiter : undefined,
    proxies: options.proxies,
    alpn: (made, cid, log, arrival) =>
      options.alpn?.get(made.info.alpn ?? "")?.(made, cid, log, arrival),
  }, routeServices(port.services));
}
