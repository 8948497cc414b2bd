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

/** What is known of the connection, for the choice of mechanisms. */
export function saslContext(s: Session): SaslServerContext {
  return {
    mayShowPassword: s.tls !== undefined || s.options.allowPlainAuth === true,
    // Debian's mutt and neomutt take SCRAM-SHA-256-PLUS where it is offered, find that they can't bind to TLS 1.3,
    // and give up.
    channelBindings: s.options.scramPlus ? bindingsFor(s.remoteIp, s.tls) : new Map(),
    peerCertificate: s.tls?.peerCertificate,
    hostname: s.options.hostname,
    only: s.options.mechanisms,
    offers: s.options.backend.sasl?.offers?.(),
    peer: { protocol: "submission", remoteIp: s.remoteIp },
  };
}

export async function auth(s: Session, args: string): Promise<void> {
  const { backend } = s.options;
  const [name, initial, ...more] = args.split(" ");
  if (backend.sasl === undefined) throw new SmtpError(502, "5.1", "AUTH is not offered");
  if (s.hello.name === "") throw sequenceError("EHLO first");
  // What a proxy says of a login (XCLIENT), the client may still prove.
  if (s.username !== undefined && !s.loginOfProxy) throw sequenceError("already authenticated");
  if (s.transaction !== undefined) throw sequenceError("AUTH within a transaction");
  if (name === "" || more.length > 0 || initial === "") {
    throw new SmtpError(501, "5.4", "mechanism and at most one response expected");
  }
  const context = saslContext(s);
  const encrypted = s.tls !== undefined;
  const offered = offeredMechanisms(context).some((n) => n === name.toUpperCase());
  if (!encrypted && s.options.requireTls) {
    throw new SmtpError(538, "7.11", "encryption required: STARTTLS first");
  }
  if (!offered) {
    if (!encrypted && /^(plain|login)$/i.test(name)) {
      throw new SmtpError(538, "7.11", "encryption required for this mechanism: STARTTLS first");
    }
    throw new SmtpError(504, "5.4", "authentication mechanism is not supported");
  }
  const guard = s.options.loginGuard ?? new LoginGuard();
  const who = { service: "submission", remoteIp: s.remoteIp, cid: s.cid } as const;
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
    const { username, credential } = await exchange(s, mechanism, initial);
    result = "disabled";
    if (s.loginOfProxy) await backend.disconnected?.(s);
    s.loginOfProxy = false;
    s.username = username;
    try {
      await backend.authenticated?.(s, username, credential);
    } catch (e) {
      s.username = undefined;
      throw e;
    }
    result = "ok";
  } catch (e) {
    if (e instanceof LoginLimited) {
      // It is noted already.
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
    throw await refusal(s, e);
  } finally {
    const way = { mechanism: mechanism.name, client: s.hello.name, reason };
    const login = s.username ?? mechanism.username ?? "";
    if (admission) await admission.done(result, way);
    else if (result !== "limited") guard.note({ ...who, login }, result, way);
  }
  s.reply(235, "7.0", "authenticated");
}

/** The client has answered "*". */
class Cancelled extends Error {}

async function exchange(
  s: Session,
  mechanism: ServerMechanism,
  initial: string | undefined,
): Promise<{ username: string; credential: string }> {
  // RFC 4954 §4: "=" is an initial response without content.
  let input = initial === undefined ? undefined : initial === "=" ? "" : initial;
  for (;;) {
    const step = await mechanism.step(input === undefined ? undefined : decode(input));
    if ("username" in step) return step;
    s.replyPlain(334, step.challenge.toBase64());
    input = await s.readAuthLine();
    s.traceSecret("", input);
    if (input === "*") {
      if (mechanism.name.endsWith("-PLUS")) plusCancelled(s.remoteIp);
      throw new Cancelled();
    }
  }
}

function decode(text: string): Uint8Array {
  const bytes = decodeResponse(text);
  if (bytes === undefined) throw new SmtpError(501, "5.2", "base64 expected");
  return bytes;
}

function resultOf(e: SaslError): AuthResult {
  if (e.reason === "temporary") return "error";
  if (e.reason === "channelBinding") return "badchanbind";
  return e.reason === "malformed" || e.reason === "unavailable" ? "badprotocol" : "badcreds";
}

async function refusal(s: Session, e: SaslError): Promise<SmtpError> {
  if (e.reason === "malformed") return new SmtpError(501, "5.2", e.message, { cause: e });
  // RFC 4954 §4.
  if (e.reason === "temporary") return new SmtpError(454, "7.0", e.message, { cause: e });
  // The first mistake is answered at once, those who guess on must wait.
  if (++s.failedLogins > 3) await s.pause(Math.min(5000, 5 * (s.options.errorDelay ?? 200)));
  if (e.reason === "appPassword") {
    // RFC 4954 §6 has a code for it.
    return new SmtpError(534, "7.9", e.message, { cause: e });
  }
  const text = e.reason === "credentials" ? "wrong user name or password" : e.message;
  return new SmtpError(535, "7.8", text, { cause: e, close: s.failedLogins >= 10 });
}
