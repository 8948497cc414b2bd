/**
 * External logins: OpenID providers for web pages and, by access tokens, for mail programs; passwords of LDAP
 * directories. A login results in an address; serve/ finds its account.
 *
 * Imports config, log and net; openid-client, jose and ldapts speak the protocols. Used by serve/ and web/.
 *
 * @module
 */
export { IdentityError } from "./errors.ts";
export { Ldap } from "./ldap.ts";
export { OpenId, type PendingLogin, type Person } from "./openid.ts";
