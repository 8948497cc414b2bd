/**
 * LOGIN, AUTHENTICATE and STARTTLS.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { offeredMechanisms, serverMechanism } from "../../../sasl/choose.ts";
import { preparePassword, prepareUsername } from "../../../sasl/prepare.ts";
import { type MechanismName, SaslError } from "../../../sasl/types.ts";
import { type Answer, ImapBad, ImapNo } from "../answer.ts";
import { capabilityText } from "../capabilities.ts";
import type { Command } from "../command.ts";
import { type Session, State } from "../session.ts";

/** Bytes of a line with a SASL response (RFC 9051 gives no limit; tokens are short). */
const maxSaslLine = 16 * 1024;
/** Steps of one exchange. */
const maxSteps = 10;

const peerOf = (s: Session) => ({ protocol: "imap", remoteIp: s.conn.remoteIp });

function saslContext(s: Session) {
  return {
    mayShowPassword: s.conn.tls !== undefined || s.backend.plaintextLogin,
    channelBindings: s.conn.tls?.channelBindings ?? new Map<string, Uint8Array>(),
    peerCertificate: s.backend.sasl.certificateUsername ? s.conn.tls?.peerCertificate : undefined,
    hostname: s.backend.hostname,
    peer: peerOf(s),
  };
}

/** The mechanisms that can be used now. */
export function mechanisms(s: Session): MechanismName[] {
  return offeredMechanisms(saslContext(s));
}

/** The account for a name that has proved itself; the answer has the new capabilities. */
async function logIn(s: Session, login: string, mechanism: string): Promise<Answer> {
  const account = await s.backend.accountForLogin(login);
  s.backend.loginDone(s.conn, login, account ? "ok" : "disabled", mechanism);
  if (!account) throw new ImapNo("login failed", "AUTHENTICATIONFAILED");
  s.login = login;
  s.account = account;
  s.sources = [{ account, listener: account.listen(), prefix: "" }];
  s.log = s.log.with({ login, account: account.name });
  s.log.info("login");
  return { code: `CAPABILITY ${capabilityText(s)}`, text: "logged in" };
}

function checkLimit(s: Session): void {
  if (!s.backend.mayTryLogin(s.conn)) {
    throw new ImapNo("too many failed logins from your network, try again later", "LIMIT");
  }
}

export const login: Command = {
  name: "LOGIN",
  states: State.NotAuthenticated,
  parse(c, s) {
    c.sp();
    const name = c.astring("user name");
    c.sp();
    const password = c.astring("password");
    return async () => {
      // RFC 9051 §6.2.3: LOGINDISABLED means that LOGIN is refused.
      if (!s.conn.tls && !s.backend.plaintextLogin) {
        throw new ImapNo("switch on TLS first", "PRIVACYREQUIRED");
      }
      checkLimit(s);
      let ok = false;
      let prepared = name;
      try {
        prepared = prepareUsername(name);
        ok = await s.backend.sasl.checkPassword(prepared, preparePassword(password), peerOf(s));
      } catch (err) {
        if (!(err instanceof SaslError)) throw err;
        if (err.reason === "appPassword") {
          s.backend.loginDone(s.conn, name, "badcreds", "login");
          throw new ImapNo(err.message, "AUTHENTICATIONFAILED");
        }
      }
      if (!ok) {
        s.backend.loginDone(s.conn, name, "badcreds", "login");
        throw new ImapNo("wrong user name or password", "AUTHENTICATIONFAILED");
      }
      return logIn(s, prepared, "login");
    };
  },
};

/** Base64 as SASL has it: no other characters, complete (RFC 4648 §3.3). */
function decodeBase64(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new ImapBad("response isn't base64");
  }
  return new Uint8Array(Buffer.from(text, "base64"));
}

export const authenticate: Command = {
  name: "AUTHENTICATE",
  states: State.NotAuthenticated,
  capabilities: ["SASL-IR"],
  parse(c, s) {
    c.sp();
    const name = c.word("mechanism");
    let initial: string | undefined;
    if (!c.atEnd) {
      c.sp();
      const start = c.pos;
      initial = new TextDecoder("latin1").decode(c.bytes.subarray(start));
      if (!/^(=|[A-Za-z0-9+/]+={0,2})$/.test(initial)) c.fail("base64 or =");
      c.pos = c.bytes.length;
    }
    return async () => {
      const mechanism = serverMechanism(name, s.backend.sasl, saslContext(s));
      if (!mechanism) {
        if (name === "PLAIN" || name === "LOGIN") {
          throw new ImapNo("switch on TLS first", "PRIVACYREQUIRED");
        }
        throw new ImapNo("mechanism is not offered", "CANNOT");
      }
      checkLimit(s);
      // RFC 4959 §3: "=" is an empty response, not an absent one.
      let response = initial === undefined
        ? undefined
        : decodeBase64(initial === "=" ? "" : initial);
      try {
        for (let step = 0; step < maxSteps; step++) {
          const r = await mechanism.step(response);
          if ("username" in r) return await logIn(s, r.username, mechanism.name);
          s.conn.write(`+ ${Buffer.from(r.challenge).toString("base64")}\r\n`);
          await s.conn.flush();
          const line = new TextDecoder("latin1").decode(await s.conn.readLine(maxSaslLine));
          if (line === "*") throw new ImapBad("cancelled");
          response = decodeBase64(line);
        }
      } catch (err) {
        if (!(err instanceof SaslError)) throw err;
        if (err.reason === "malformed") throw new ImapBad(`authentication: ${err.message}`);
        const result = err.reason === "channelBinding" ? "badchanbind" : "badcreds";
        s.backend.loginDone(s.conn, mechanism.username ?? "", result, mechanism.name);
        throw new ImapNo(
          err.reason === "credentials" ? "wrong user name or password" : err.message,
          err.reason === "authorization" ? "AUTHORIZATIONFAILED" : "AUTHENTICATIONFAILED",
        );
      }
      throw new ImapBad("too many steps");
    };
  },
};

export const starttls: Command = {
  name: "STARTTLS",
  states: State.NotAuthenticated,
  parse: (_, s) => () => {
    if (s.conn.tls) throw new ImapBad("TLS is on already");
    if (!s.backend.tls) throw new ImapNo("TLS is not available");
    return { text: "begin TLS" };
  },
  async afterwards(s) {
    if (s.backend.tls) await s.conn.startTlsServer(s.backend.tls);
  },
};
