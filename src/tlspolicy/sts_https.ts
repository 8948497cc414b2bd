/**
 * HTTPS to other servers with the addresses that our own resolver gives, and the authorities of the
 * configuration: policies are got by the same view of the world as mail is delivered by.
 *
 * @module
 */
import { type IncomingMessage } from "node:http";
import { request } from "node:https";
import { Readable } from "node:stream";
import { DnsError, type Resolver } from "../dns/mod.ts";
import type { Fetch } from "./sts_fetch.ts";

/** Addresses that are tried. */
const maxAddresses = 4;

/** Makes a function that gets documents. @param ca PEM, in place of the system's authorities */
export function resolvingFetch(resolver: Resolver, ca: string[] | undefined): Fetch {
  return async (url, init) => {
    const u = new URL(url);
    let failure: unknown = new Error(`${u.hostname} has no address`);
    for (const ip of (await addresses(resolver, u.hostname)).slice(0, maxAddresses)) {
      init.signal?.throwIfAborted();
      try {
        return await get(ip, u, ca, init);
      } catch (err) {
        failure = err;
      }
    }
    throw failure;
  };
}

async function addresses(resolver: Resolver, name: string): Promise<string[]> {
  const found: string[] = [];
  let failure: unknown;
  for (const type of ["A", "AAAA"] as const) {
    try {
      found.push(...(await resolver.lookup(name, type)).records);
    } catch (err) {
      if (!(err instanceof DnsError)) throw err;
      failure = err;
    }
  }
  if (found.length === 0 && failure !== undefined) throw failure;
  return found;
}

function get(
  ip: string,
  u: URL,
  ca: string[] | undefined,
  init: RequestInit,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const r = request({
      host: ip,
      port: u.port || 443,
      servername: u.hostname,
      path: u.pathname + u.search,
      method: init.method ?? "GET",
      headers: { host: u.host, ...init.headers as Record<string, string> },
      ca,
      agent: false,
      signal: init.signal ?? undefined,
    }, (answer: IncomingMessage) => {
      const headers = new Headers();
      for (const [name, value] of Object.entries(answer.headers)) {
        for (const v of [value ?? []].flat()) headers.append(name, v);
      }
      const status = answer.statusCode ?? 0;
      if (status < 200 || status > 599) {
        r.destroy();
        reject(new Error(`HTTP status ${status}`));
        return;
      }
      const empty = status === 204 || status === 205 || status === 304;
      const body = empty ? null : Readable.toWeb(answer) as unknown as ReadableStream<Uint8Array>;
      resolve(new Response(body, { status, headers }));
    });
    r.on("error", reject);
    r.end();
  });
}
