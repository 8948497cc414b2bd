/** AUTH (RFC 4954). */
import type { AuthResult } from "../../../metrics/authentication.ts";
import { type Admission, LoginGuard, LoginLimited } from "../../../net/mod.ts";
import {
  bindingsFor,
  decodeResponse,
  offeredMechanisms,
  plusCancelled,
  SaslError,
  type SaslServerContext,
  type ServerMechanism,
  serverMechanism,
} from "../../../sasl/mod.ts";
import { sequenceError, SmtpError } from "../errors.ts";
import type { Session } from "../session.ts";

/** Facts about the connection for the choice of mechanisms. */
export function saslContext(session: Session): SaslServerContext {
  return {
    mayShowPassword: session.tls !== undefined || session.options.allowPlainAuth === true,
    // Debian's mutt and neomutt choose SCRAM-SHA-256-PLUS if offered, find that they can't bind to TLS 1.3, and
    // give up.
    channelBindings: session.options.scramPlus
      ? bindingsFor(session.remoteIp, session.tls)
      : new Map(),
    peerCertificate: session.tls?.peerCertificate,
    hostname: session.options.hostname,
    only: session.options.mechanisms,
    offers: session.options.backend.sasl?.offers?.(),
    peer: { protocol: "submission", remoteIp: session.remoteIp },
  };
}

export async function auth(session: Session, args: string): Promise<void> {
  const { backend } = session.options;
  const [name, initial, ...more] = session.wordsOf(args);
  if (backend.sasl === undefined) throw new SmtpError(502, "5.1", "AUTH is not offered");
  if (session.hello.name === "") throw sequenceError("EHLO first");
  // A login asserted by a proxy (XCLIENT) may still be proven by the client.
  if (session.username !== undefined && !session.loginOfProxy) {
    throw sequenceError("already authenticated");
  }
  if (session.transaction !== undefined) throw sequenceError("AUTH within a transaction");
  if (name === "" || more.length > 0 || initial === "") {
    throw new SmtpError(501, "5.4", "mechanism and at most one response expected");
  }
  const context = saslContext(session);
  const encrypted = session.tls !== undefined;
  const offered = offeredMechanisms(context).some((n) => n === name.toUpperCase());
  if (!encrypted && session.options.requireTls) {
    throw new SmtpError(538, "7.11", "encryption required: STARTTLS first");
  }
  if (!offered) {
    if (!encrypted && /^(plain|login)$/i.test(name)) {
      throw new SmtpError(538, "7.11", "encryption required for this mechanism: STARTTLS first");
    }
    throw new SmtpError(504, "5.4", "authentication mechanism is not supported");
  }
  const guard = session.options.loginGuard ?? new LoginGuard();
  const who = { service: "submission", remoteIp: session.remoteIp, cid: session.cid } as const;
  let admission: Admission | undefined;
  const mechanism = serverMechanism(name, backend.sasl, {
    ...context,
    async admit(login) {
      admission = await guard.admit({ ...who, login });
    },
  })!;
  let result: AuthResult = "error";
  let reason: string | undefined;
  try {
    const { username, credential } = await exchange(session, mechanism, initial);
    result = "disabled";
    if (session.loginOfProxy) await backend.disconnected?.(session);
    session.loginOfProxy = false;
    session.username = username;
    try {
      await backend.authenticated?.(session, username, credential);
    } catch (e) {
      session.username = undefined;
      throw e;
    }
    result = "ok";
  } catch (e) {
    if (e instanceof LoginLimited) {
      // It has already been noted.
      result = "limited";
      throw new SmtpError(454, "7.0", e.message, { close: true, cause: e });
    }
    if (e instanceof Cancelled) {
      result = "aborted";
      throw new SmtpError(501, "7.0", "authentication cancelled", { cause: e });
    }
    reason = e instanceof Error ? e.message : undefined;
    if (!(e instanceof SaslError)) {
      if (e instanceof SmtpError && result === "error") result = "badprotocol";
      throw e;
    }
    result = resultOf(e);
    throw await refusal(session, e);
  } finally {
    const way = { mechanism: mechanism.name, client: session.hello.name, reason };
    const login = session.username ?? mechanism.username ?? "";
    if (admission) await admission.done(result, way);
    else if (result !== "limited") guard.note({ ...who, login }, result, way);
  }
  session.reply(235, "7.0", "authenticated");
}

/** The client has answered "*". */
class Cancelled extends Error {}

async function exchange(
  session: Session,
  mechanism: ServerMechanism,
  initial: string | undefined,
): Promise<{ username: string; credential: string }> {
  // RFC 4954 §4: "=" is an initial response without content.
  let input = initial === undefined ? undefined : initial === "=" ? "" : initial;
  for (;;) {
    const step = await mechanism.step(input === undefined ? undefined : decode(input));
    if ("username" in step) return step;
    session.replyPlain(334, step.challenge.toBase64());
    input = await session.readAuthLine();
    session.traceSecret("", input);
    if (input === "*") {
      if (mechanism.name.endsWith("-PLUS")) plusCancelled(session.remoteIp);
      throw new Cancelled();
    }
  }
}

function decode(text: string): Uint8Array {
  const bytes = decodeResponse(text);
  if (bytes === undefined) throw new SmtpError(501, "5.2", "base64 expected");
  return bytes;
}

function resultOf(err: SaslError): AuthResult {
  if (err.reason === "temporary") return "error";
  if (err.reason === "channelBinding") return "badchanbind";
  return err.reason === "malformed" || err.reason === "unavailable" ? "badprotocol" : "badcreds";
}

async function refusal(session: Session, err: SaslError): Promise<SmtpError> {
  if (err.reason === "malformed") return new SmtpError(501, "5.2", err.message, { cause: err });
  // RFC 4954 §4.
  if (err.reason === "temporary") return new SmtpError(454, "7.0", err.message, { cause: err });
  // The first failures are answered immediately; further guesses must wait.
  if (++session.failedLogins > 3) {
    await session.pause(Math.min(5000, 5 * (session.options.errorDelay ?? 200)));
  }
  if (err.reason === "appPassword") {
    // RFC 4954 §6 has a code for it.
    return new SmtpError(534, "7.9", err.message, { cause: err });
  }
  const text = err.reason === "credentials" ? "wrong user name or password" : err.message;
  return new SmtpError(535, "7.8", text, { cause: err, close: session.failedLogins >= 10 });
}
