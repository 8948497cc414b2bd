/**
 * Requests through a reverse proxy: their client, by X-Forwarded-For, -Proto and -Host, or by
 * Forwarded (RFC 7239).
 *
 * @module
 */
import { canonicalIp, type Networks, parseIp } from "../../net/mod.ts";
import { hostForm } from "./request.ts";
import { HttpError, type WebRequest } from "./types.ts";

/** What one proxy on the path reports about the side the request came from. */
interface Hop {
  /** Undefined if it is not an address ("unknown", or a proxy's own identifier). */
  ip: string | undefined;
  proto: string | undefined;
  host: string | undefined;
}

/** Proxies that a request may have passed. */
const maxHops = 50;

/**
 * The request as made by its client. The last proxy is known by its connection; earlier ones are
 * believed as far as they are trusted too, so the client is the last address that isn't a trusted proxy.
 * @throws HttpError 400 for headers that can't be read, or that name different clients
 */
export function forwardedRequest(req: WebRequest, trusted: Networks): WebRequest {
  const hop = clientHop(xForwarded(req), trusted);
  const other = clientHop(forwarded(req.headers.get("forwarded")), trusted);
  // A proxy passes on fields that it doesn't set itself, so the client may have made them up.
  if (hop !== undefined && other !== undefined && hop.ip !== other.ip) {
    throw new HttpError(
      400,
      "X-Forwarded-For and Forwarded name different clients: the proxy has to remove the one it doesn't set",
    );
  }
  return seenFrom(req, hop ?? other);
}

/** The request if every peer is trusted: it is from the last address of X-Forwarded-For, if that is valid. */
export function requestOfLastHop(req: WebRequest): WebRequest {
  const named = (last(req.headers.get("x-forwarded-for")) ?? "").replace(/^\[|\]$/g, "");
  const ip = parseIp(named) === undefined ? undefined : canonicalIp(named);
  return seenFrom(req, { ip, proto: undefined, host: undefined });
}

function clientHop(hops: readonly Hop[], trusted: Networks): Hop | undefined {
  for (let i = hops.length - 1; i >= 0; i--) {
    const { ip } = hops[i];
    if (i === 0 || ip === undefined || !trusted.has(ip)) return hops[i];
  }
  return undefined;
}

function seenFrom(req: WebRequest, hop: Hop | undefined): WebRequest {
  const proto = hop?.proto ?? last(req.headers.get("x-forwarded-proto"));
  const secure = proto === undefined ? req.secure : proto.toLowerCase() === "https";
  const host = hop?.host ?? last(req.headers.get("x-forwarded-host")) ?? req.url.host;
  const named = hostForm(host) && URL.parse(`${secure ? "https" : "http"}://${host}`);
  return {
    ...req,
    remoteIp: hop?.ip ?? req.remoteIp,
    secure,
    origin: named ? named.origin : req.origin,
  };
}

function last(value: string | null): string | undefined {
  return value === null ? undefined : value.split(",").at(-1)!.trim();
}

function xForwarded(req: WebRequest): Hop[] {
  const value = req.headers.get("x-forwarded-for");
  if (value === null) return [];
  return hopsOf(value.split(","), "X-Forwarded-For").map((text) => ({
    ip: addressOf(text, "X-Forwarded-For"),
    proto: undefined,
    host: undefined,
  }));
}

function hopsOf(list: string[], name: string): string[] {
  if (list.length > maxHops) throw new HttpError(400, `${name} has more than ${maxHops} entries`);
  return list.map((t) => t.trim()).filter((t) => t !== "");
}

/** RFC 7239 §6: an address, in brackets for IPv6, with or without a port; "unknown" or "_name" isn't one. */
function addressOf(text: string, name: string): string | undefined {
  if (/^(?:unknown|_[\w.-]+)(?::[\w.-]+)?$/i.test(text)) return undefined;
  const bracketed = /^\[([^\]]+)\](?::[\w-]+)?$/.exec(text)?.[1];
  const withPort = /^([\d.]+):[\w-]+$/.exec(text)?.[1];
  const ip = bracketed ?? withPort ?? text;
  if (parseIp(ip) === undefined) {
    throw new HttpError(
      400,
      `${name} has ${JSON.stringify(text.slice(0, 60))}, which is no address`,
    );
  }
  return canonicalIp(ip.replace(/%.*$/, ""));
}

/** RFC 7239 §4. */
function forwarded(value: string | null): Hop[] {
  if (value === null) return [];
  const elements = hopsOf(splitOutsideQuotes(value, ","), "Forwarded");
  return elements.map((element) => {
    const hop: Hop = { ip: undefined, proto: undefined, host: undefined };
    const seen = new Set<string>();
    for (const pair of splitOutsideQuotes(element, ";")) {
      if (pair.trim() === "") continue;
      const [name, text] = parameter(pair.trim());
      if (seen.has(name)) throw new HttpError(400, `Forwarded has ${name} twice`);
      seen.add(name);
      if (name === "for") hop.ip = addressOf(text, "Forwarded");
      else if (name === "proto") hop.proto = text;
      else if (name === "host") hop.host = text;
    }
    return hop;
  });
}

/** Name in lower case, and value without its quotes. */
function parameter(pair: string): [string, string] {
  const m = /^([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w:[\]-]+)|"((?:[^"\\]|\\.)*)")$/.exec(
    pair,
  );
  if (m === null) throw new HttpError(400, "Forwarded can't be read");
  return [m[1].toLowerCase(), m[2] ?? m[3].replaceAll(/\\(.)/g, "$1")];
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (quoted && text[i] === "\\") i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (text[i] === separator && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
