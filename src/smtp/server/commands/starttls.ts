/** STARTTLS (RFC 3207). */
import { ConnectionError } from "../../../net/mod.ts";
import { sequenceError, SmtpError } from "../errors.ts";
import type { Session } from "../session.ts";

export async function starttls(session: Session, args: string): Promise<void> {
  const { tls } = session.options;
  if (args !== "") throw new SmtpError(501, "5.4", "no arguments expected");
  if (session.tls !== undefined) throw sequenceError("TLS is on already");
  if (tls === undefined) throw new SmtpError(502, "5.1", "STARTTLS is not offered");
  if (session.username !== undefined) throw sequenceError("STARTTLS must come before AUTH");
  if (session.transaction !== undefined) throw sequenceError("STARTTLS within a transaction");
  // Commands already received in plain text could be a third party's, meant to run as if sent over TLS. They
  // are dropped, and the connection ends.
  if (session.conn.buffered > 0) {
    session.log.info("plain text behind STARTTLS");
    throw new SmtpError(503, "5.1", "no commands may follow STARTTLS before the handshake", {
      close: true,
    });
  }
  session.reply(220, "0.0", "go ahead");
  try {
    await session.conn.startTlsServer(tls);
  } catch (e) {
    if (e instanceof ConnectionError) throw new ConnectionError("tls", e.message, { cause: e });
    throw e;
  }
  session.forget();
  session.log.debug("tls is on", { version: session.tls!.version, cipher: session.tls!.cipher });
}
