/**
 * Metrics of logins, with any protocol.
 *
 * @module
 */
import { counter } from "./mod.ts";

/** Where logins happen. */
export const authServices = [
  "submission",
  "imap",
  "pop3",
  "managesieve",
  "webmail",
  "webaccount",
  "webadmin",
  "webapi",
  "jmap",
  "dav",
] as const;
export type AuthService = (typeof authServices)[number];

/** How a login ended. */
export const authResults = [
  "ok",
  "badcreds",
  "badprotocol",
  "badchanbind",
  "disabled",
  "aborted",
  "limited",
  "error",
] as const;
export type AuthResult = (typeof authResults)[number];

/** SASL mechanisms in lower case, and other ways to log in. */
export const authVariants = [
  "scram-sha-256-plus",
  "scram-sha-256",
  "scram-sha-1-plus",
  "scram-sha-1",
  "cram-md5",
  "plain",
  "login",
  "external",
  "weblogin",
  "passkey",
  "websessionuse",
  "httpbasic",
  "confirm",
  "httpbearer",
  "oauthbearer",
  "xoauth2",
  "openid",
] as const;
export type AuthVariant = (typeof authVariants)[number];

const attempts = counter(
  "mox_authentication_total",
  "Login attempts by service, mechanism and result.",
  { kind: authServices, variant: authVariants, result: authResults },
);

const limited = counter(
  "mox_authentication_ratelimited_total",
  "Login attempts refused because of too many failed ones from the same network.",
  { kind: authServices },
);

/** Counts a login attempt. Mechanisms with unknown names are left out. */
export function countAuthentication(
  kind: AuthService,
  mechanism: string,
  result: AuthResult,
): void {
  const variant = authVariants.find((v) => v === mechanism.toLowerCase());
  if (variant !== undefined) attempts.inc({ kind, variant, result });
}

/** Counts a login attempt that a limit refused. */
export function countAuthenticationLimited(kind: AuthService): void {
  limited.inc({ kind });
}
