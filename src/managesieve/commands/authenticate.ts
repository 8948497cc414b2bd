/** AUTHENTICATE (RFC 5804 §2.1). @module */
import { Buffer } from "node:buffer";
import { LoginAttempt, LoginLimited } from "../../net/mod.ts";
import {
  decodeResponse,
  SaslError,
  type ServerMechanism,
  serverMechanism,
} from "../../sasl/mod.ts";
import { type Done, No, stringText } from "../answers.ts";
import { readCommand, textOf } from "../reader.ts";
import type { Command, Session } from "../session.ts";

/** Bytes of a response, and steps of an exchange. */
const maxResponse = 16 * 1024;
const maxSteps = 10;

function decoded(text: string): Uint8Array {
  const bytes = decodeResponse(text);
  if (bytes === undefined) throw new No("the response isn't base64");
  return bytes;
}

const encoded = (bytes: Uint8Array) => stringText(Buffer.from(bytes).toString("base64"));

/** The client's next response. */
async function response(session: Session): Promise<Uint8Array> {
  const [token, ...more] = await readCommand(session.conn, maxResponse);
  if (token?.kind !== "string" || more.length > 0) throw new No("the exchange was cancelled");
  const text = textOf(token.bytes, "response");
  if (text === "*") throw new No("the exchange was cancelled");
  return decoded(text);
}

async function exchange(
  session: Session,
  attempt: LoginAttempt,
  mechanism: ServerMechanism,
  initial: Uint8Array | undefined,
): Promise<Done> {
  let input = initial;
  for (let step = 0; step < maxSteps; step++) {
    const r = await mechanism.step(input);
    if ("username" in r) return await logIn(session, attempt, r.username, r.credential);
    // RFC 5804 §2.1: a mechanism's last message is sent with the answer.
    if (
      mechanism.name.startsWith("SCRAM-") && r.challenge[0] === 0x76 && r.challenge[1] === 0x3d
    ) {
      const last = await mechanism.step(new Uint8Array(0));
      if ("username" in last) {
        const done = await logIn(session, attempt, last.username, last.credential);
        return { ...done, code: `SASL ${encoded(r.challenge)}` };
      }
    }
    session.conn.write(`${encoded(r.challenge)}\r\n`);
    await session.conn.flush();
    input = await response(session);
  }
  throw new No("too many steps");
}

async function logIn(
  session: Session,
  attempt: LoginAttempt,
  login: string,
  credential: string,
): Promise<Done> {
  const account = session.backend.accountForLogin(login);
  await attempt.done(account === undefined ? "disabled" : "ok", login);
  if (account === undefined) throw new No("login failed");
  session.account = account;
  session.login = login;
  session.log = session.log.with({ login, account });
  session.onLogout = session.backend.loggedIn?.({
    account,
    login,
    credential,
    end: (reason) => session.ending.begin(reason),
  });
  return { text: "logged in" };
}

export const authenticate: Command = {
  name: "AUTHENTICATE",
  when: "before",
  async run(session, a) {
    const name = a.text("mechanism");
    const initial = a.more ? decoded(a.text("initial response")) : undefined;
    a.end();
    const attempt = new LoginAttempt(session.backend.loginGuard, "managesieve", session.conn, name);
    const mechanism = serverMechanism(name, session.backend.sasl, {
      ...session.saslContext(),
      admit: (login) => attempt.admit(login),
    });
    if (!mechanism) {
      const plain = /^(?:PLAIN|LOGIN)$/i.test(name) && session.conn.tls === undefined;
      throw new No(
        plain ? "switch on TLS first" : "the mechanism is not offered",
        plain ? "ENCRYPT-NEEDED" : undefined,
      );
    }
    try {
      return await exchange(session, attempt, mechanism, initial);
    } catch (err) {
      const login = mechanism.username ?? "";
      if (err instanceof LoginLimited) throw new No(err.message, "TRYLATER", { cause: err });
      if (!(err instanceof SaslError)) {
        await attempt.done(err instanceof No ? "aborted" : "error", login, (err as Error).message);
        throw err;
      }
      if (err.reason === "temporary") {
        await attempt.done("error", login, err.message);
        throw new No(err.message, "TRYLATER", { cause: err });
      }
      const result = err.reason === "malformed"
        ? "badprotocol"
        : err.reason === "channelBinding"
        ? "badchanbind"
        : "badcreds";
      await attempt.done(result, login, err.message);
      throw new No(
        err.reason === "credentials" ? "wrong user name or password" : err.message,
        undefined,
        { cause: err },
      );
    }
  },
};
