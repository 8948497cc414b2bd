/**
 * AUTHENTICATE (RFC 9051 §6.2.2), with an initial response (RFC 4959).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { AuthResult } from "../../../metrics/authentication.ts";
import { ConnectionError } from "../../../net/types.ts";
import { serverMechanism } from "../../../sasl/choose.ts";
import { plusCancelled } from "../../../sasl/cancelled.ts";
import { decodeResponse } from "../../../sasl/response.ts";
import { SaslError } from "../../../sasl/types.ts";
import { ImapBad, ImapNo } from "../session/answer.ts";
import type { Command } from "../session/command.ts";
import { admit, logIn, loginAttempt } from "../session/logging_in.ts";
import { saslContext } from "../session/sasl_context.ts";
import { State } from "../session/session.ts";

/** Bytes of a line with a SASL response (RFC 9051 gives no limit; tokens are short). */
const maxSaslLine = 16 * 1024;

/** Steps of one exchange. */
const maxSteps = 10;

/** Base64 as in SASL: no other characters, and complete (RFC 4648 §3.3). */
function decodeBase64(text: string): Uint8Array {
  const bytes = decodeResponse(text);
  if (bytes === undefined) throw new ImapBad("response isn't base64");
  return bytes;
}

export const authenticate: Command = {
  name: "AUTHENTICATE",
  states: State.NotAuthenticated,
  capabilities: ["SASL-IR"],
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.word("mechanism");
    let initial: string | undefined;
    if (!cursor.atEnd) {
      cursor.sp();
      const start = cursor.pos;
      initial = new TextDecoder("latin1").decode(cursor.bytes.subarray(start));
      if (!/^(=|[A-Za-z0-9+/]+={0,2})$/.test(initial)) cursor.fail("base64 or =");
      cursor.pos = cursor.bytes.length;
    }
    return async () => {
      const attempt = loginAttempt(session, name);
      const mechanism = serverMechanism(name, session.backend.sasl, {
        ...saslContext(session),
        admit: (login) => admit(attempt, login),
      });
      if (!mechanism) {
        if (name === "PLAIN" || name === "LOGIN") {
          throw new ImapNo("switch on TLS first", "PRIVACYREQUIRED");
        }
        throw new ImapNo("mechanism is not offered", "CANNOT");
      }
      // RFC 4959 §3: "=" is an empty response, not an absent one.
      let response = initial === undefined
        ? undefined
        : decodeBase64(initial === "=" ? "" : initial);
      try {
        for (let step = 0; step < maxSteps; step++) {
          const r = await mechanism.step(response);
          if ("username" in r) return await logIn(session, attempt, r.username, r.credential);
          session.conn.write(`+ ${Buffer.from(r.challenge).toString("base64")}\r\n`);
          await session.conn.flush();
          const line = new TextDecoder("latin1").decode(await session.conn.readLine(maxSaslLine));
          session.trace?.secret(line);
          if (line === "*") {
            if (mechanism.name.endsWith("-PLUS")) plusCancelled(session.conn.remoteIp);
            throw new ImapBad("cancelled");
          }
          response = decodeBase64(line);
        }
        throw new ImapBad("too many steps");
      } catch (err) {
        const login = mechanism.username ?? "";
        if (!(err instanceof SaslError)) {
          const gone = err instanceof ImapBad || err instanceof ConnectionError;
          await attempt.done(gone ? "aborted" : "error", login, (err as Error).message);
          throw err;
        }
        await attempt.done(resultOf(err), login, err.message);
        if (err.reason === "temporary") throw new ImapNo(err.message, "UNAVAILABLE");
        if (err.reason === "malformed") throw new ImapBad(`authentication: ${err.message}`);
        throw new ImapNo(
          err.reason === "credentials" ? "wrong user name or password" : err.message,
          err.reason === "authorization" ? "AUTHORIZATIONFAILED" : "AUTHENTICATIONFAILED",
        );
      }
    };
  },
};

function resultOf(err: SaslError): AuthResult {
  if (err.reason === "temporary") return "error";
  if (err.reason === "malformed" || err.reason === "unavailable") return "badprotocol";
  return err.reason === "channelBinding" ? "badchanbind" : "badcreds";
}
