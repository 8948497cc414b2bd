/** AUTHENTICATE (RFC 5804 §2.1). @module */
import { Buffer } from "node:buffer";
import { SaslError, type ServerMechanism, serverMechanism } from "../../sasl/mod.ts";
import { type Done, No, stringText } from "../answers.ts";
import { readCommand, textOf } from "../reader.ts";
import type { Command, Session } from "../session.ts";

/** Bytes of a response, and steps of an exchange. */
const maxResponse = 16 * 1024;
const maxSteps = 10;

function decoded(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new No("the response isn't base64");
  }
  return new Uint8Array(Buffer.from(text, "base64"));
}

const encoded = (bytes: Uint8Array) => stringText(Buffer.from(bytes).toString("base64"));

/** The client's next response. */
async function response(s: Session): Promise<Uint8Array> {
  const [token, ...more] = await readCommand(s.conn, maxResponse);
  if (token?.kind !== "string" || more.length > 0) throw new No("the exchange was cancelled");
  const text = textOf(token.bytes, "response");
  if (text === "*") throw new No("the exchange was cancelled");
  return decoded(text);
}

async function exchange(
  s: Session,
  mechanism: ServerMechanism,
  initial: Uint8Array | undefined,
): Promise<Done> {
  let input = initial;
  for (let step = 0; step < maxSteps; step++) {
    const r = await mechanism.step(input);
    if ("username" in r) return logIn(s, r.username, mechanism.name);
    // RFC 5804 §2.1: what a mechanism says last goes with the answer.
    if (mechanism.name.startsWith("SCRAM-") && r.challenge[0] === 0x76 && r.challenge[1] === 0x3d) {
      const last = await mechanism.step(new Uint8Array(0));
      if ("username" in last) {
        return { ...logIn(s, last.username, mechanism.name), code: `SASL ${encoded(r.challenge)}` };
      }
    }
    s.conn.write(`${encoded(r.challenge)}\r\n`);
    await s.conn.flush();
    input = await response(s);
  }
  throw new No("too many steps");
}

function logIn(s: Session, login: string, mechanism: string): Done {
  const account = s.backend.accountForLogin(login);
  s.backend.loginDone(s.conn, login, account === undefined ? "disabled" : "ok", mechanism);
  if (account === undefined) throw new No("login failed");
  s.account = account;
  s.login = login;
  s.log = s.log.with({ login, account });
  return { text: "logged in" };
}

export const authenticate: Command = {
  name: "AUTHENTICATE",
  when: "before",
  async run(s, a) {
    const name = a.text("mechanism");
    const initial = a.more ? decoded(a.text("initial response")) : undefined;
    a.end();
    const mechanism = serverMechanism(name, s.backend.sasl, s.saslContext());
    if (!mechanism) {
      const plain = /^(?:PLAIN|LOGIN)$/i.test(name) && s.conn.tls === undefined;
      throw new No(
        plain ? "switch on TLS first" : "the mechanism is not offered",
        plain ? "ENCRYPT-NEEDED" : undefined,
      );
    }
    if (!s.backend.mayTryLogin(s.conn)) {
      throw new No("too many failed logins from your network, try again later", "TRYLATER");
    }
    try {
      return await exchange(s, mechanism, initial);
    } catch (err) {
      if (!(err instanceof SaslError)) throw err;
      if (err.reason === "malformed") throw new No(`authentication: ${err.message}`);
      const result = err.reason === "channelBinding" ? "badchanbind" : "badcreds";
      s.backend.loginDone(s.conn, mechanism.username ?? "", result, mechanism.name);
      throw new No(err.reason === "credentials" ? "wrong user name or password" : err.message);
    }
  },
};
