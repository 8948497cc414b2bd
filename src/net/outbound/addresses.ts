/** Which addresses a connection to another server may go to. @module */
import { isIP } from "node:net";

/**
 * A rule about an address that a connection is to go to: undefined if it may, else why not. It is asked
 * after the name was resolved, about the very address that is connected to, and again for each redirect.
 */
export type AddressRule = (ip: string) => string | undefined;

/** Gives the addresses of a name, those to try first in front. Fails in words for people. */
export type AddressLookup = (name: string, signal?: AbortSignal) => Promise<readonly string[]>;

/** Why nothing came of a request to another server. */
export class OutboundError extends Error {
  override name = "OutboundError";
  constructor(
    readonly reason: "url" | "address" | "refused" | "connect" | "tls" | "timeout" | "answer",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * What a user may know of why a server that they chose was not reached: the same for names that are only known here,
 * addresses that are not called, and ports that are closed. Undefined for what says nothing of this network.
 */
export function messageForUsers(err: unknown): string | undefined {
  if (!(err instanceof OutboundError)) return undefined;
  return ["address", "refused", "connect"].includes(err.reason)
    ? "it can't be reached, or is not on the internet"
    : undefined;
}

/** The host of a URL without the brackets of IPv6. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

/** Addresses of a host that the rule allows. @throws OutboundError "address" or "refused" */
export async function allowedAddresses(
  host: string,
  lookup: AddressLookup,
  rule: AddressRule | undefined,
  signal?: AbortSignal,
): Promise<string[]> {
  let found: readonly string[];
  if (isIP(host) !== 0) found = [host];
  else {
    try {
      found = await lookup(host, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new OutboundError("address", `${host} can't be looked up: ${text}`, { cause });
    }
    if (found.length === 0) throw new OutboundError("address", `${host} has no address`);
  }
  let why = "";
  const allowed = found.filter((ip) => {
    const refused = rule?.(ip);
    if (refused !== undefined && why === "") why = `${ip}: ${refused}`;
    return refused === undefined;
  });
  if (allowed.length === 0) {
    throw new OutboundError("refused", `${host} is at an address that is not called, ${why}`);
  }
  return allowed;
}
