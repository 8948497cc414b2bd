/**
 * What SASL needs to know of a connection, and which mechanisms can be used on it.
 *
 * @module
 */
import { offeredMechanisms } from "../../../sasl/choose.ts";
import { bindingsFor } from "../../../sasl/cancelled.ts";
import type { MechanismName } from "../../../sasl/types.ts";
import type { Session } from "./session.ts";

/** The client that tries to log in. */
export const peerOf = (s: Session) => ({ protocol: "imap", remoteIp: s.conn.remoteIp });

/** What decides how one may log in here. */
export function saslContext(session: Session) {
  return {
    mayShowPassword: session.conn.tls !== undefined || session.backend.plaintextLogin,
    channelBindings: bindingsFor(session.conn.remoteIp, session.conn.tls),
    peerCertificate: session.backend.sasl.certificateUsername
      ? session.conn.tls?.peerCertificate
      : undefined,
    hostname: session.backend.hostname,
    offers: session.backend.sasl.offers?.(),
    peer: peerOf(session),
  };
}

/** The mechanisms that can be used now. */
export function mechanisms(session: Session): MechanismName[] {
  return offeredMechanisms(saslContext(session));
}
