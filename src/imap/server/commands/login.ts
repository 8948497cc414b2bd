/**
 * LOGIN (RFC 9051 §6.2.3).
 *
 * @module
 */
import { preparePassword, prepareUsername } from "../../../sasl/prepare.ts";
import { SaslError } from "../../../sasl/types.ts";
import { ImapNo } from "../session/answer.ts";
import type { Command } from "../session/command.ts";
import { admit, logIn, loginAttempt } from "../session/logging_in.ts";
import { peerOf } from "../session/sasl_context.ts";
import { State } from "../session/session.ts";

export const login: Command = {
  name: "LOGIN",
  states: State.NotAuthenticated,
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.astring("user name");
    cursor.sp();
    const password = cursor.astring("password");
    return async () => {
      // RFC 9051 §6.2.3: LOGINDISABLED means that LOGIN is refused.
      if (!session.conn.tls && !session.backend.plaintextLogin) {
        throw new ImapNo("switch on TLS first", "PRIVACYREQUIRED");
      }
      const attempt = loginAttempt(session, "login");
      let credential: string | undefined;
      let prepared = name;
      let reason: string | undefined;
      try {
        prepared = prepareUsername(name);
        await admit(attempt, prepared);
        credential = await session.backend.sasl.checkPassword(
          prepared,
          preparePassword(password),
          peerOf(session),
        );
      } catch (err) {
        if (!(err instanceof SaslError)) {
          await attempt.done("error", prepared, (err as Error).message);
          throw err;
        }
        reason = err.message;
        if (err.reason === "temporary") {
          await attempt.done("error", prepared, reason);
          throw new ImapNo(err.message, "UNAVAILABLE");
        }
        if (err.reason === "appPassword") {
          await attempt.done("badcreds", prepared, reason);
          throw new ImapNo(err.message, "AUTHENTICATIONFAILED");
        }
      }
      if (credential === undefined) {
        await attempt.done("badcreds", prepared, reason);
        throw new ImapNo("wrong user name or password", "AUTHENTICATIONFAILED");
      }
      return logIn(session, attempt, prepared, credential);
    };
  },
};
