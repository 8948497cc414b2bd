/**
 * Clients that choose a SCRAM-*-PLUS mechanism and then find that they can't bind to the connection: their
 * libraries support other channel bindings than we can compute (RFC 9266 for TLS 1.3), and don't fall back by
 * themselves. The mechanism is then not offered to their address for a while.
 *
 * @module
 */

/** Milliseconds for which it isn't offered. */
const memory = 24 * 3600_000;
/** Addresses that are remembered; the oldest are forgotten first. */
const maxAddresses = 10_000;

const cancelled = new Map<string, number>();

/** A client at the address has cancelled an exchange with channel binding. */
export function plusCancelled(remoteIp: string, now = Date.now()): void {
  cancelled.delete(remoteIp);
  cancelled.set(remoteIp, now);
  if (cancelled.size > maxAddresses) cancelled.delete(cancelled.keys().next().value!);
}

/** The channel bindings to offer to a client: those of the connection, or none after it has cancelled. */
export function bindingsFor(
  remoteIp: string,
  tls: { channelBindings: Map<string, Uint8Array> } | undefined,
  now = Date.now(),
): Map<string, Uint8Array> {
  const at = cancelled.get(remoteIp);
  if (at !== undefined && now - at < memory) return new Map();
  return tls?.channelBindings ?? new Map();
}
