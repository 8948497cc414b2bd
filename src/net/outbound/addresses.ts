/** Which addresses connections to other servers may use. @module */
import { isIP } from "node:net";

/**
 * A rule for addresses to connect to: undefined if allowed, otherwise the reason. It is applied after resolving
 * the name, to the exact address used, and again for each redirect.
 */
export type AddressRule = (ip: string) => string | undefined;

/** Returns the addresses of a name, in the order to try them. Errors are readable for users. */
export type AddressLookup = (name: string, signal?: AbortSignal) => Promise<readonly string[]>;

/** Why a request to another server failed. */
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
 * What a user may know about why a server that they chose was not reached: the same text for names known only
 * here, refused addresses, and closed ports. Undefined for errors that reveal nothing about this network.
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

/** A host's addresses that the rule allows. @throws OutboundError "address" or "refused" */
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
