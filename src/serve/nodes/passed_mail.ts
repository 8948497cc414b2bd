/**
 * Messages that other nodes pass on: sessions of LMTP, one after the other on a connection, each for one client. Nothing of
 * a session is left to the next.
 *
 * @module
 */
import type { SocketConnection } from "../../net/mod.ts";
import { serveSmtpSession, type SmtpServerOptions } from "../../smtp/server/mod.ts";

/** Milliseconds that a connection may wait for the next session; the other node ends it before. */
const keptTime = 5 * 60_000;

/** Serves a connection until nothing comes any more, or the server stops. */
export async function servePassedMail(
  conn: SocketConnection,
  options: SmtpServerOptions,
): Promise<void> {
  while (await serveSmtpSession(conn, options)) {
    conn.clientGone();
    conn.readTimeout = keptTime;
    await conn.waitInput();
    if (conn.buffered === 0) return;
  }
}
