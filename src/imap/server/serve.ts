/**
 * Serving one connection: commands are read, run and answered one at a time.
 *
 * @module
 */
import { type Connection, ConnectionError } from "../../net/types.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { StoreError } from "../../store/types.ts";
import { Cursor, ParseError } from "../parse/cursor.ts";
import { type Answer, diskFull, ImapBad, ImapNo, noForStore } from "./session/answer.ts";
import type { ImapBackend } from "./session/backend.ts";
import { capabilityText } from "./session/capabilities.ts";
import { deliverChanges, deliverUntilInput } from "./updates/changes.ts";
import type { Command } from "./session/command.ts";
import { effectiveRights } from "../../store/mailboxes/rights.ts";
import { selectedGroup } from "./names/notify_rules.ts";
import {
  discardRest,
  maxLineAfter,
  maxLineBefore,
  readRest,
  Unrecoverable,
} from "./session/reader.ts";
import { Session, State } from "./session/session.ts";
import { ProtocolTrace } from "./session/trace.ts";
import { commandCapabilities, commandNamed } from "./table.ts";

/** Milliseconds that a client may be silent, before and after login (RFC 9051 §5.4: at least 30 minutes). */
const defaultTimeouts = { beforeLogin: 60_000, afterLogin: 31 * 60_000 };

/** Wrong commands in a row before login after which the peer is not considered an IMAP client. */
const maxBadBeforeLogin = 20;

/** Runs a session until the client logs out or is gone. The caller closes the connection. */
export async function serveImap(conn: Connection, backend: ImapBackend): Promise<void> {
  const s = new Session(conn, backend, backend.log.withCid(conn.cid), commandCapabilities);
  s.trace = new ProtocolTrace(conn, () => s.log);
  conn.readTimeout = (backend.timeouts ?? defaultTimeouts).beforeLogin;
  try {
    s.untagged(`OK [CAPABILITY ${capabilityText(s)}] ${backend.hostname} ready`);
    await conn.flush();
    while (!s.ended && !conn.closed) {
      if (s.ending.reason !== undefined) throw new ConnectionError("shutdown", s.ending.reason);
      await serveCommand(s);
    }
  } catch (err) {
    if (err instanceof Unrecoverable) {
      s.untagged(`BYE [TOOBIG] ${err.message}`);
    } else if (err instanceof ConnectionError) {
      if (err.reason === "timeout") s.untagged("BYE [UNAVAILABLE] no command for too long");
      if (s.ending.reason !== undefined) s.untagged(`BYE [EXPIRED] ${s.ending.reason}`);
      else if (err.reason === "shutdown") s.untagged("BYE [UNAVAILABLE] server is shutting down");
      if (err.reason === "overload") s.untagged("BYE [UNAVAILABLE] server is short of memory");
      if (err.reason === "closed" || err.reason === "tls") {
        s.log.debug("connection ended", { reason: err.reason });
      }
    } else {
      throw err;
    }
  } finally {
    s.close();
  }
}

async function serveCommand(session: Session): Promise<void> {
  const loggedIn = session.state !== State.NotAuthenticated;
  const timeouts = session.backend.timeouts ?? defaultTimeouts;
  session.conn.readTimeout = loggedIn ? timeouts.afterLogin : timeouts.beforeLogin;
  let tag = "*";
  let command: Command | undefined;
  let answer: Answer | void;
  /** The first line, or how reading it ended, until a command takes over reading. */
  let alone: Uint8Array | undefined;
  try {
    // RFC 5465 §3: with NOTIFY, changes are also sent between commands.
    if (session.notify) {
      await deliverUntilInput(session, selectedGroup(session.notify)?.filter.kind === "selected");
    }
    if (session.ended) return;
    let line: Uint8Array;
    try {
      line = (await session.conn.readLine(loggedIn ? maxLineAfter : maxLineBefore)).slice();
    } catch (err) {
      if (err instanceof ConnectionError && err.start !== undefined) {
        tag = tagOf(err.start);
        if (err.reason === "endless") {
          session.conn.write(`${tag} BAD [TOOBIG] ${err.message}\r\n`);
          throw new Unrecoverable(err.message);
        }
        alone = err.end;
        throw new ImapBad(err.message, "TOOBIG");
      }
      throw err;
    }
    alone = line;
    session.trace?.command(line);
    const bareLf = session.backend.pedantic === true && session.conn.lastLineBareLf;
    const c = new Cursor(line);
    c.utf8Names = session.utf8;
    c.lenient = session.backend.pedantic !== true;
    tag = c.tag();
    session.tag = tag;
    // RFC 9051 §2.2: all lines end in CRLF.
    if (bareLf) throw new ImapBad("lines must end in CRLF", "CLIENTBUG");
    c.sp();
    command = readCommand(c, session);
    if (command.states === State.Selected) renewRights(session, command);
    alone = undefined;
    if (command.stream) {
      session.conn.mailUnderWay = true;
      try {
        answer = await command.stream(c, session);
      } finally {
        session.conn.mailUnderWay = false;
      }
    } else {
      const all = await readRest(session.conn, line, loggedIn);
      const whole = new Cursor(all, c.pos);
      whole.utf8Names = session.utf8;
      whole.lenient = c.lenient;
      const run = command.parse(whole, session);
      whole.end();
      answer = await run();
    }
    await finish(session, command, `OK${text(answer?.code, answer?.text ?? "done")}`, tag);
    session.badCommands = 0;
  } catch (err) {
    const answer = refusal(session, err);
    if (alone) await discardRest(session.conn, alone, loggedIn);
    await finish(session, command, answer, tag);
    session.badCommands = answer.startsWith("BAD") ? session.badCommands + 1 : 0;
    if (!loggedIn && session.badCommands >= maxBadBeforeLogin) {
      session.untagged("BYE [CLIENTBUG] too many commands that are wrong");
      session.ended = true;
      await session.conn.flush();
    }
    return;
  }
  if (command?.afterwards) await command.afterwards(session);
}

/** The tag that a line begins with; "*" if it has none. */
function tagOf(start: Uint8Array): string {
  try {
    return new Cursor(start).tag();
  } catch (err) {
    if (!(err instanceof ParseError)) throw err;
    return "*";
  }
}

/** Sends what is pending, then the tagged answer. */
async function finish(
  session: Session,
  command: Command | undefined,
  answer: string,
  tag: string,
): Promise<void> {
  if (command && !session.ended) {
    const known = session.view?.count ?? 0;
    await deliverChanges(session, command.holdsExpunges !== true);
    if ((session.view?.count ?? 0) > known && command.name.endsWith("FETCH")) {
      session.existsAfterFetch = true;
    }
  }
  session.conn.write(`${tag} ${answer}\r\n`);
  // Otherwise it sends the answer itself.
  if (!command?.afterwards || !answer.startsWith("OK")) await session.conn.flush();
}

/**
 * Rights on another user's selected mailbox, which its owner may have changed since.
 * @throws ImapNo if it may no longer be read
 */
function renewRights(session: Session, command: Command): void {
  const v = session.view;
  if (!v || v.account === session.account) return;
  v.rights = effectiveRights(v.account, v.mailboxId, session.store.name);
  if (v.rights.includes("r") || command.name === "CLOSE" || command.name === "UNSELECT") return;
  throw new ImapNo("you may not read this mailbox any more", "NOPERM");
}

function text(code: string | undefined, words: string): string {
  return code ? ` [${code}] ${words}` : ` ${words}`;
}

/** The command's name, looked up and checked against the state. */
function readCommand(cursor: Cursor, session: Session): Command {
  const start = cursor.pos;
  let name = cursor.word("command");
  if (name === "UID") {
    cursor.sp();
    name = `UID ${cursor.word("command")}`;
  }
  const command = commandNamed(name);
  if (!command) throw new ParseError(start, "known command");
  if (!(command.states & session.state)) {
    const when = session.state === State.NotAuthenticated
      ? "log in first"
      : command.states & State.NotAuthenticated
      ? "already logged in"
      : "select a mailbox first";
    throw new ImapBad(`${name}: ${when}`);
  }
  return command;
}

/** The answer to a command that failed. An internal error ends the connection. */
function refusal(session: Session, err: unknown): string {
  if (err instanceof ParseError) return `BAD ${err.message}`;
  if (err instanceof ImapBad) return `BAD${text(err.code, err.message)}`;
  if (err instanceof ImapNo) {
    if (err.cause) session.log.debug("command refused", { err: err.cause as Error });
    return `NO${text(err.code, err.message)}`;
  }
  if (err instanceof StoreError) return refusal(session, noForStore(err));
  if (err instanceof ConnectionError || err instanceof Unrecoverable) throw err;
  // Only writes to the store fail like this, never in the middle of an answer.
  if (isStorageFull(err)) {
    session.log.error("command can't be carried out", { err: err as Error });
    return `NO${text("UNAVAILABLE", diskFull)}`;
  }
  // The answer may have been cut off in the middle, so the connection can't go on.
  throw err;
}
