/** Commands before login: USER, PASS, AUTH, STLS. @module */
import { Buffer } from "node:buffer";
import { ConnectionError } from "../../net/types.ts";
import {
  decodeResponse,
  preparePassword,
  prepareUsername,
  SaslError,
  serverMechanism,
} from "../../sasl/mod.ts";
import { admit, logIn, loginAttempt, refused } from "../logging_in.ts";
import { type Pop3Command, Pop3Error, type Pop3Session } from "../session.ts";

/** Most bytes of a line with a SASL response, and most steps of an exchange. */
const maxSaslLine = 16 * 1024;
const maxSteps = 10;

function checkPlaintext(session: Pop3Session): void {
  if (!session.saslContext.mayShowPassword) throw new Pop3Error("begin TLS first (STLS)", "AUTH");
}

/** RFC 1939 §7. */
export const user: Pop3Command = {
  name: "USER",
  state: "authorization",
  args: [1, 1],
  run(session, [name]) {
    checkPlaintext(session);
    session.user = name;
    session.ok("password?");
  },
};

/** A password may have blanks: it is the rest of the line. */
export const pass: Pop3Command = {
  name: "PASS",
  state: "authorization",
  args: [1, Infinity],
  async run(session, args) {
    checkPlaintext(session);
    const name = session.user;
    if (name === undefined) throw new Pop3Error("USER first");
    session.user = undefined;
    const attempt = loginAttempt(session, "LOGIN");
    try {
      const [username, password] = [prepareUsername(name), preparePassword(args.join(" "))];
      await admit(attempt, username);
      const { peer } = session.saslContext;
      const credential = await session.backend.sasl.checkPassword(username, password, peer);
      if (credential === undefined) {
        throw new SaslError("credentials", "wrong user name or password");
      }
      await logIn(session, attempt, username, credential);
    } catch (err) {
      if (err instanceof SaslError) throw await refused(session, attempt, err, name);
      await attempt.done("error", name, (err as Error).message);
      throw err;
    }
  },
};

function decode(text: string): Uint8Array {
  const bytes = decodeResponse(text);
  if (bytes === undefined) throw new Pop3Error("response isn't base64");
  return bytes;
}

/** RFC 5034. */
export const auth: Pop3Command = {
  name: "AUTH",
  state: "authorization",
  args: [0, 2],
  async run(session, [name, initial]) {
    if (name === undefined) {
      // What programs before RFC 5034 ask: which mechanisms there are.
      session.ok();
      session.lines(session.mechanisms);
      return;
    }
    const attempt = loginAttempt(session, name);
    const mechanism = serverMechanism(name, session.backend.sasl, {
      ...session.saslContext,
      admit: (login) => admit(attempt, login),
    });
    if (mechanism === undefined) throw new Pop3Error("mechanism is not offered", "AUTH");
    // RFC 5034 §4: "=" is an empty response, not an absent one.
    let response = initial === undefined ? undefined : decode(initial === "=" ? "" : initial);
    try {
      for (let step = 0; step < maxSteps; step++) {
        const r = await mechanism.step(response);
        if ("username" in r) return await logIn(session, attempt, r.username, r.credential);
        session.conn.write(`+ ${Buffer.from(r.challenge).toString("base64")}\r\n`);
        await session.conn.flush();
        const line = new TextDecoder("latin1").decode(await session.conn.readLine(maxSaslLine));
        if (line === "*") throw new Pop3Error("cancelled");
        response = decode(line);
      }
      throw new Pop3Error("too many steps");
    } catch (err) {
      const login = mechanism.username ?? "";
      if (err instanceof SaslError) throw await refused(session, attempt, err, login);
      const gone = err instanceof Pop3Error || err instanceof ConnectionError;
      await attempt.done(gone ? "aborted" : "error", login, (err as Error).message);
      throw err;
    }
  },
};

/** RFC 2595 §4. */
export const stls: Pop3Command = {
  name: "STLS",
  state: "authorization",
  args: [0, 0],
  async run(session) {
    const { tls } = session.backend;
    if (session.conn.tls !== undefined) throw new Pop3Error("TLS is on already");
    if (tls === undefined) throw new Pop3Error("TLS is not offered");
    // Commands that came along in plain could be somebody else's.
    if (session.conn.buffered > 0) {
      throw new Pop3Error("no commands may follow STLS before the handshake", undefined, {
        close: true,
      });
    }
    session.ok("begin TLS");
    try {
      await session.conn.startTlsServer(tls);
    } catch (err) {
      if (err instanceof ConnectionError) {
        throw new ConnectionError("tls", err.message, { cause: err });
      }
      throw err;
    }
    session.user = undefined;
  },
};
