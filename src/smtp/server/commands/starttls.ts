/** STARTTLS (RFC 3207). */
import { ConnectionError } from "../../../net/mod.ts";
import { sequenceError, SmtpError } from "../errors.ts";
import type { Session } from "../session.ts";

export async function starttls(s: Session, args: string): Promise<void> {
  const { tls } = s.options;
  if (args !== "") throw new SmtpError(501, "5.4", "no arguments expected");
  if (s.tls !== undefined) throw sequenceError("TLS is on already");
  if (tls === undefined) throw new SmtpError(502, "5.1", "STARTTLS is not offered");
  if (s.username !== undefined) throw sequenceError("STARTTLS must come before AUTH");
  if (s.transaction !== undefined) throw sequenceError("STARTTLS within a transaction");
  // Commands that came along in plain could be somebody else's, to be run as if they had come over
  // TLS. They are not, and whoever tries gets no further.
  if (s.conn.buffered > 0) {
    s.log.info("plain text behind STARTTLS");
    throw new SmtpError(503, "5.1", "no commands may follow STARTTLS before the handshake", {
      close: true,
    });
  }
  s.reply(220, "0.0", "go ahead");
  await s.conn.flush();
  try {
    await s.conn.startTlsServer(tls);
  } catch (e) {
    if (e instanceof ConnectionError) throw new ConnectionError("tls", e.message, { cause: e });
    throw e;
  }
  s.forget();
  s.log.debug("tls is on", { version: s.tls!.version, cipher: s.tls!.cipher });
}
