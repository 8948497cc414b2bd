/**
 * The POP3 server (RFC 1939) with CAPA (RFC 2449), STLS (RFC 2595), AUTH (RFC 5034) and UTF8 (RFC 6856), for
 * programs that have nothing else. The maildrop is the Inbox.
 *
 * May import platform, log, metrics, net, sasl and store. Called by what opens the listeners.
 *
 * @module
 */
import { type Connection, ConnectionError } from "../net/types.ts";
import type { Pop3Backend } from "./backend.ts";
import { Pop3Error, Pop3Session } from "./session.ts";
import { commandNamed } from "./table.ts";

export { MaildropLocks, type Pop3Backend } from "./backend.ts";

/** RFC 1939 §3: at least ten minutes after login. */
const defaultTimeouts = { beforeLogin: 60_000, afterLogin: 10 * 60_000 };
/** Bytes of a command with its CRLF; RFC 2449 §4 wants 255. */
const maxLine = 4096;
/** Wrong commands in a row, before login, after which the session is ended. */
const maxBad = 20;

/** Runs a session until the client quits or is gone. The caller closes the connection. */
export async function servePop3(conn: Connection, backend: Pop3Backend): Promise<void> {
  const s = new Pop3Session(conn, backend, backend.log.withCid(conn.cid));
  const timeouts = backend.timeouts ?? defaultTimeouts;
  let bad = 0;
  try {
    s.ok(`${backend.hostname} ready`);
    while (!s.ended && !conn.closed) {
      await conn.flush();
      if (s.ending.reason !== undefined) throw new ConnectionError("shutdown", s.ending.reason);
      conn.readTimeout = s.drop === undefined ? timeouts.beforeLogin : timeouts.afterLogin;
      try {
        await serveCommand(s);
        bad = 0;
      } catch (err) {
        if (!(err instanceof Pop3Error)) throw err;
        s.conn.write(`-ERR ${err.code === undefined ? "" : `[${err.code}] `}${err.message}\r\n`);
        if (err.close || (s.drop === undefined && ++bad >= maxBad)) s.ended = true;
      }
    }
    await conn.flush();
  } catch (err) {
    if (!(err instanceof ConnectionError)) throw err;
    if (err.reason === "timeout") conn.write("-ERR [SYS/TEMP] no command for too long\r\n");
    if (s.ending.reason !== undefined) conn.write(`-ERR [AUTH] ${s.ending.reason}\r\n`);
    else if (err.reason === "shutdown") conn.write("-ERR [SYS/TEMP] server is shutting down\r\n");
    else if (err.reason === "overload") conn.write("-ERR [SYS/TEMP] server is short of memory\r\n");
    else if (err.reason === "endless") conn.write("-ERR line is too long\r\n");
    // RFC 1939 §3: without QUIT nothing is deleted.
    s.log.debug("connection ended", { reason: err.reason });
  } finally {
    await end(s);
  }
}

async function serveCommand(session: Pop3Session): Promise<void> {
  let line: string;
  try {
    line = new TextDecoder("utf-8").decode(await session.conn.readLine(maxLine));
  } catch (err) {
    if (err instanceof ConnectionError && err.reason === "line") throw new Pop3Error(err.message);
    throw err;
  }
  const [name, ...words] = line.split(" ");
  const command = commandNamed(name.toUpperCase());
  if (command === undefined) throw new Pop3Error("unknown command");
  const state = session.drop === undefined ? "authorization" : "transaction";
  if (command.state !== undefined && command.state !== state) {
    throw new Pop3Error(state === "authorization" ? "log in first" : "already logged in");
  }
  // Blanks too many are common and harmless; in a password they count.
  const args = command.name === "PASS" ? words : words.filter((w) => w !== "");
  const [fewest, most] = command.args;
  if (args.length < fewest || args.length > most) {
    throw new Pop3Error(`wrong number of arguments for ${command.name}`);
  }
  await command.run(session, args);
}

async function end(session: Pop3Session): Promise<void> {
  const { drop } = session;
  session.ending.over();
  session.onClose?.();
  if (drop === undefined) return;
  try {
    await drop.markRead();
  } catch (err) {
    session.log.error("marking messages as read", { err: err as Error });
  } finally {
    session.unlock?.();
    drop.account.close();
  }
}
