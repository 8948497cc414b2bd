/** Sources of user logins besides this server: OpenID providers and LDAP directories. @module */
import { type Infer, optional, required } from "../sconf/schema.ts";
import { list, struct } from "../sconf/schema_blocks.ts";
import { bool, duration, text } from "../sconf/schema_scalars.ts";
import { fileText, httpUrlText } from "../sconf/types.ts";

const scopeText = text((s) => /^[!#-[\]-~]+$/.test(s) ? undefined : "is not a scope");

export const openIdProvider = struct({
  Issuer: required(
    httpUrlText,
    "URL of the provider, as in its tokens; its settings are read from .well-known/openid-configuration below it. " +
      "With https, but for tests on loopback.",
  ),
  ClientID: required(text(), "Name of this server as a client of the provider."),
  ClientSecretFile: optional(
    fileText,
    "File with the client's secret, relative to the folder of mox.conf. Without one the server is a public client, " +
      "with PKCE alone.",
  ),
  Label: optional(
    text((s) => s.length <= 60 ? undefined : "is longer than 60 characters"),
    'Name on the button of the login form, such as "Example account". By default the name of this block.',
  ),
  Scopes: optional(
    list(scopeText),
    "What is asked for besides openid: profile and email by default.",
  ),
  LoginClaim: optional(
    text(),
    "Claim with the address that somebody logs in with: email by default.",
    "email",
  ),
  AllowUnverifiedEmail: optional(
    bool,
    "Let in whoever the provider names with an address that it doesn't say to have verified (email_verified). Only where " +
      "its users can't set their address.",
  ),
  Audiences: optional(
    list(text()),
    "Audiences (aud) of access tokens with which mail programs may log in (OAUTHBEARER, XOAUTH2, and bearer tokens of " +
      "JMAP). Without any no program can log in with a token.",
  ),
  TokenScope: optional(scopeText, "Scope that such an access token must have."),
  CreateAccounts: optional(
    bool,
    "Make an account at the first login of somebody with an address at a domain of the provider that has none.",
  ),
  Administrators: optional(
    list(text((s) => /^[^\s@]+@[^\s@]+$/.test(s) ? undefined : "is not an address")),
    "Addresses of who may log in to the admin page as the server's administrator, as the provider names them; they need no " +
      "account here. The administrator's password keeps working, and is asked for before ways in are changed. Not with " +
      "AllowUnverifiedEmail; with another LoginClaim than email only where users can't set that claim.",
  ),
});
export type OpenIdProvider = Infer<typeof openIdProvider>;

export const filterText = text(
  (s) => s.startsWith("(") && s.includes("%s") ? undefined : "is not a filter like (mail=%s)",
  "a filter like (mail=%s)",
);

/** An attribute of the found entry, in a group filter: `%{uid}`. */
const placeholder = /%\{([A-Za-z][A-Za-z0-9;-]*)\}/g;

/** Attributes of the found entry that a group filter uses, in order. */
export function attributesInFilter(filter: string): string[] {
  return [...new Set([...filter.matchAll(placeholder)].map((m) => m[1]))];
}

/** Most attributes of the found entry in a filter: each may have several values, and all are tried. */
const maxAttributes = 3;

export const groupFilterText = text(
  (s) => {
    if (!s.startsWith("(")) return "is not a filter like (member=%s)";
    const attributes = attributesInFilter(s);
    if (s.replaceAll(placeholder, "").includes("%{")) {
      return "has %{ without the name of an attribute, as in (memberUid=%{uid})";
    }
    if (attributes.length > maxAttributes) return `has more than ${maxAttributes} attributes`;
    return s.includes("%s") || attributes.length > 0
      ? undefined
      : "has neither %s nor an attribute such as %{uid}: it would be the same for everybody";
  },
  "a filter like (member=%s) or (memberUid=%{uid})",
);

export const ldapDirectory = struct({
  URL: required(
    text((s) => {
      const u = URL.parse(s);
      if (!/^ldaps?:$/.test(u?.protocol ?? "") || u!.hostname === "") {
        return "is not of the form ldaps://host or ldap://host";
      }
      return /^\/?$/.test(u!.pathname) && u!.search === "" && u!.username === ""
        ? undefined
        : "has more than a host and a port";
    }, "ldaps://host or ldap://host"),
    "The server: ldaps for TLS from the start (port 636), ldap for STARTTLS (port 389).",
  ),
  NoTLS: optional(bool, "Send passwords in clear text, for a server on this machine."),
  BindDN: optional(text(), "Who looks people up; without one the server does so anonymously."),
  BindPasswordFile: optional(
    fileText,
    "File with that one's password, relative to the folder of mox.conf.",
  ),
  BaseDN: required(
    text(),
    "Below what people are looked for, such as ou=people,dc=example,dc=org.",
  ),
  Filter: optional(
    filterText,
    "How somebody is found, %s being the address that was typed: (mail=%s) by default. Exactly one entry must fit.",
    "(mail=%s)",
  ),
  GroupFilter: optional(
    groupFilterText,
    "Entry below BaseDN that must be there too, %s being the DN of the one found, and %{uid} its attribute uid: for " +
      "example (&(cn=mail)(member=%s)), or (&(cn=mail)(memberUid=%{uid})) with a posixGroup. Without it everybody who is found may log in. LDAPGroup of a domain says who has " +
      "addresses there.",
  ),
  HashAttribute: optional(
    text(
      (s) => /^[A-Za-z][A-Za-z0-9;-]*$/.test(s) ? undefined : "is not the name of an attribute",
      "the name of an attribute",
    ),
    "Attribute with the hash of the password, such as userPassword, which BindDN may read: the server compares it, in " +
      "place of logging in to the directory as the entry found. {SSHA} and its kin, {CRYPT} but for DES, {PBKDF2}, " +
      "{ARGON2} and the others that accounts can be moved in with.",
  ),
  NameAttribute: optional(
    text(),
    "Attribute with the full name, for accounts that are made.",
    "cn",
  ),
  CacheTime: optional(
    duration,
    "How long a password that was right is good while the directory can't be reached; 0s for not at all. The hash that " +
      "this needs is in memory only.",
    24 * 3_600_000,
  ),
  CreateAccounts: optional(
    bool,
    "Make an account at the first login of somebody with an address at a domain of the directory that has none.",
  ),
});
export type LdapDirectory = Infer<typeof ldapDirectory>;
