/**
 * Messages that other nodes pass on: consecutive LMTP sessions on a connection, each for one client. Sessions share no
 * state.
 *
 * @module
 */
import type { SocketConnection } from "../../net/mod.ts";
import { serveSmtpSession, type SmtpServerOptions } from "../../smtp/server/mod.ts";

/** Milliseconds that a connection may wait for the next session; the other node closes it earlier. */
const keptTime = 5 * 60_000;

/** Serves a connection until it is closed or idle for too long, or the server stops. */
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
