/** A provider's claims about a user, and the address derived from them. @module */
import { IdentityError } from "./errors.ts";

/** Claims of a token, of userinfo or of an introspection. */
export type Claims = Readonly<Record<string, unknown>>;

/** Which claims count. */
export interface ClaimRules {
  loginClaim: string;
  allowUnverifiedEmail: boolean;
}

/** Whether the claims identify the user; otherwise the provider is asked for more. */
export function saysWho(claims: Claims, rules: ClaimRules): boolean {
  if (typeof claims[rules.loginClaim] !== "string") return false;
  return rules.loginClaim !== "email" || rules.allowUnverifiedEmail || "email_verified" in claims;
}

/**
 * The login address of a user.
 * @throws IdentityError "wrong" if the claims have none, or an unverified one
 */
export function addressOf(claims: Claims, rules: ClaimRules): string {
  const address = claims[rules.loginClaim];
  if (typeof address !== "string" || !/^[^\s@]+@[^\s@]+$/.test(address) || address.length > 320) {
    throw new IdentityError("wrong", `the claim ${rules.loginClaim} has no address`);
  }
  // Otherwise anyone could claim an address here by entering it at the provider.
  const verified = claims.email_verified === true || claims.email_verified === "true";
  if (rules.loginClaim === "email" && !verified && !rules.allowUnverifiedEmail) {
    throw new IdentityError(
      "wrong",
      "the provider hasn't verified the address (email_verified); AllowUnverifiedEmail takes it all the same",
    );
  }
  return address;
}

/** The scopes of an access token, in any representation. */
export function scopesOf(claims: Claims): string[] {
  const { scope, scp } = claims;
  const list = scope ?? scp;
  if (Array.isArray(list)) return list.filter((s) => typeof s === "string");
  return typeof list === "string" ? list.split(" ") : [];
}

/** The audiences of a token. */
export function audiencesOf(claims: Claims): string[] {
  const { aud } = claims;
  if (Array.isArray(aud)) return aud.filter((a) => typeof a === "string");
  return typeof aud === "string" ? [aud] : [];
}
