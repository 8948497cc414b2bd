/**
 * What SASL is told of a connection, and which mechanisms can be used on it.
 *
 * @module
 */
import { offeredMechanisms } from "../../../sasl/choose.ts";
import { bindingsFor } from "../../../sasl/cancelled.ts";
import type { MechanismName } from "../../../sasl/types.ts";
import type { Session } from "./session.ts";

/** Who tries to log in. */
export const peerOf = (s: Session) => ({ protocol: "imap", remoteIp: s.conn.remoteIp });

/** What decides how one may log in here. */
export function saslContext(s: Session) {
  return {
    mayShowPassword: s.conn.tls !== undefined || s.backend.plaintextLogin,
    channelBindings: bindingsFor(s.conn.remoteIp, s.conn.tls),
    peerCertificate: s.backend.sasl.certificateUsername ? s.conn.tls?.peerCertificate : undefined,
    hostname: s.backend.hostname,
    offers: s.backend.sasl.offers?.(),
    peer: peerOf(s),
  };
}

/** The mechanisms that can be used now. */
export function mechanisms(s: Session): MechanismName[] {
  return offeredMechanisms(saslContext(s));
}
