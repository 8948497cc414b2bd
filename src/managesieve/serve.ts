/** Serving one connection: commands are read, run and answered, one after the other. @module */
import { scriptLimits } from "../delivery/sieve/scripts.ts";
import { type Connection, ConnectionError } from "../net/mod.ts";
import { isStorageFull } from "../platform/storage_errors.ts";
import { answerLine, Bye, No } from "./answers.ts";
import type { ManageSieveBackend } from "./backend.ts";
import { authenticate } from "./commands/authenticate.ts";
import { capability, logout, noop, starttls, unauthenticate } from "./commands/connection.ts";
import {
  checkscript,
  deletescript,
  getscript,
  havespace,
  listscripts,
  putscript,
  renamescript,
  setactive,
} from "./commands/scripts.ts";
import { readCommand } from "./reader.ts";
import { Arguments, type Command, Session } from "./session.ts";

const table: ReadonlyMap<string, Command> = new Map(
  [
    authenticate,
    capability,
    checkscript,
    deletescript,
    getscript,
    havespace,
    listscripts,
    logout,
    noop,
    putscript,
    renamescript,
    setactive,
    starttls,
    unauthenticate,
  ].map((c) => [c.name, c]),
);

/** RFC 5804 §1.4: at least 30 minutes after login. */
const defaultTimeouts = { beforeLogin: 60_000, afterLogin: 31 * 60_000 };
/** Bytes of a literal before login. */
const maxLiteralBefore = 16 * 1024;
/** Wrong commands in a row after which the client is assumed to speak another protocol. */
const maxWrong = 20;

/** Runs a session until the client logs out or disconnects. The caller closes the connection. */
export async function serveManageSieve(
  conn: Connection,
  backend: ManageSieveBackend,
): Promise<void> {
  const s = new Session(conn, backend);
  const timeouts = backend.timeouts ?? defaultTimeouts;
  conn.readTimeout = timeouts.beforeLogin;
  try {
    conn.write(s.capabilities() + answerLine("OK", { text: `${backend.hostname} ready` }));
    await conn.flush();
    while (!s.ended && !conn.closed) {
      if (s.ending.reason !== undefined) throw new ConnectionError("shutdown", s.ending.reason);
      conn.readTimeout = s.account === undefined ? timeouts.beforeLogin : timeouts.afterLogin;
      await serveCommand(s);
    }
  } catch (err) {
    if (err instanceof Bye) conn.write(answerLine("BYE", { code: err.code, text: err.message }));
    else if (!(err instanceof ConnectionError)) throw err;
    else if (
      err.reason === "timeout" || err.reason === "shutdown" || err.reason === "overload"
    ) {
      const texts = {
        timeout: "no command for too long",
        shutdown: "server is shutting down",
        overload: "server is short of memory",
      };
      const text = s.ending.reason ?? texts[err.reason];
      conn.write(answerLine("BYE", { code: "TRYLATER", text }));
    } else s.log.debug("connection ended", { reason: err.reason });
  } finally {
    s.ending.over();
    s.logOut();
  }
}

async function serveCommand(session: Session): Promise<void> {
  let command: Command | undefined;
  let answer: string;
  try {
    const max = session.account === undefined ? maxLiteralBefore : scriptLimits.size;
    const [first, ...rest] = await readCommand(session.conn, max);
    if (first === undefined) throw new No("expected a command");
    command = first.kind === "word" ? table.get(first.text) : undefined;
    if (!command) throw new No("there is no such command");
    if (command.when === "before" && session.account !== undefined) {
      throw new No("logged in already");
    }
    if (command.when === "after" && session.account === undefined) throw new No("log in first");
    const done = await command.run(session, new Arguments(rest));
    answer = answerLine("OK", done ?? {});
    session.wrong = 0;
  } catch (err) {
    answer = answerLine("NO", refusal(session, err));
    command = undefined;
    if (++session.wrong >= maxWrong) {
      session.conn.write(answer);
      throw new Bye("too many commands that are wrong");
    }
  }
  session.conn.write(answer);
  if (command?.afterwards) await command.afterwards(session);
  else await session.conn.flush();
}

function refusal(session: Session, err: unknown): { code?: string; text: string } {
  if (err instanceof No) return { code: err.code, text: err.message };
  if (isStorageFull(err)) {
    session.log.error("command can't be carried out", { err: err as Error });
    return { code: "TRYLATER", text: "the disk of the server is full" };
  }
  throw err;
}
