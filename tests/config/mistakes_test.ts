/** What is said of mistakes in the configuration files: the line, and what was expected. */
import assert from "node:assert/strict";
import { Config, readDynamic, readStatic } from "../../src/config/mod.ts";
import { ConfigError } from "../../src/config/mod.ts";
import { join } from "node:path";
import { inConfigDir, smallDynamic, smallStatic, staticOf } from "./fixtures.ts";

/** A change of a right text, and what is then said: `line: message`. */
type Mistake = [what: string, from: string | RegExp, to: string, ...said: string[]];

function lines(problems: { line: number; message: string }[]): string[] {
  return problems.map((p) => `${p.line}: ${p.message}`);
}

function table(mistakes: Mistake[], text: string, read: (text: string) => string[]) {
  for (const [what, from, to, ...said] of mistakes) {
    const changed = text.replace(from, () => to);
    assert.notEqual(changed, text, `${what}: the text to change is not there`);
    assert.deepEqual(read(changed), said, what);
  }
}

const staticMistakes: Mistake[] = [
  [
    "provider without https",
    "Transports:\n",
    "OpenIDProviders:\n\tcompany:\n\t\tIssuer: http://id.example\n\t\tClientID: mox\nTransports:\n",
    "24: must be https: only on loopback it may be http",
  ],
  [
    "provider with a query",
    "Transports:\n",
    "OpenIDProviders:\n\tcompany:\n\t\tIssuer: https://id.example/?x=y\n\t\tClientID: mox\nTransports:\n",
    "24: must have neither query nor fragment",
  ],
  [
    "administrators with addresses that anybody may type",
    "Transports:\n",
    "OpenIDProviders:\n\tcompany:\n\t\tIssuer: https://id.example\n\t\tClientID: mox\n\t\tAllowUnverifiedEmail: true\n\t\tAdministrators:\n\t\t\t- ann@mox.example\nTransports:\n",
    "27: the provider must have verified their addresses: remove AllowUnverifiedEmail, or Administrators",
  ],
  [
    "an administrator without an address",
    "Transports:\n",
    "OpenIDProviders:\n\tcompany:\n\t\tIssuer: https://id.example\n\t\tClientID: mox\n\t\tAdministrators:\n\t\t\t- ann\nTransports:\n",
    '27: OpenIDProviders: company: Administrators: "ann" is not an address',
  ],
  [
    "name of a provider",
    "Transports:\n",
    "OpenIDProviders:\n\tMy Company:\n\t\tIssuer: https://id.example\n\t\tClientID: mox\nTransports:\n",
    "23: its name must be of lower-case letters, digits and hyphens",
  ],
  [
    "scope of a provider",
    "Transports:\n",
    "OpenIDProviders:\n\tcompany:\n\t\tIssuer: https://id.example\n\t\tClientID: mox\n\t\tScopes:\n\t\t\t- a b\nTransports:\n",
    '27: OpenIDProviders: company: Scopes: "a b" is not a scope',
  ],
  [
    "URL of a directory",
    "Transports:\n",
    "LDAPDirectories:\n\tstaff:\n\t\tURL: https://ldap.example\n\t\tBaseDN: dc=example\nTransports:\n",
    '24: LDAPDirectories: staff: URL: "https://ldap.example" is not of the form ldaps://host or ldap://host',
  ],
  [
    "TLS of a directory",
    "Transports:\n",
    "LDAPDirectories:\n\tstaff:\n\t\tURL: ldaps://ldap.example\n\t\tBaseDN: dc=example\n\t\tNoTLS: true\nTransports:\n",
    "26: contradicts ldaps in URL",
  ],
  [
    "directory with half of a login",
    "Transports:\n",
    "LDAPDirectories:\n\tstaff:\n\t\tURL: ldaps://ldap.example\n\t\tBaseDN: dc=example\n\t\tBindDN: cn=mox\nTransports:\n",
    "23: BindDN and BindPasswordFile go together: BindPasswordFile is missing",
  ],
  [
    "filter of a directory",
    "Transports:\n",
    "LDAPDirectories:\n\tstaff:\n\t\tURL: ldaps://ldap.example\n\t\tBaseDN: dc=example\n\t\tFilter: mail=x\nTransports:\n",
    '26: LDAPDirectories: staff: Filter: "mail=x" is not a filter like (mail=%s)',
  ],
  [
    "hashes that anybody could read",
    "Transports:\n",
    "LDAPDirectories:\n\tstaff:\n\t\tURL: ldaps://ldap.example\n\t\tBaseDN: dc=example\n\t\tHashAttribute: userPassword\nTransports:\n",
    "26: needs BindDN: hashes are for nobody to read without a login",
  ],
  [
    "attribute of a directory",
    "Transports:\n",
    "LDAPDirectories:\n\tstaff:\n\t\tURL: ldaps://ldap.example\n\t\tBaseDN: dc=example\n\t\tHashAttribute: user password\nTransports:\n",
    '26: LDAPDirectories: staff: HashAttribute: "user password" is not the name of an attribute',
  ],
  [
    "hosts of LMTP",
    "Transports:\n",
    "Transports:\n\tx:\n\t\tLMTP:\n\t\t\tHost: unix:/run/lmtp\n\ty:\n\t\tLMTP:\n\t\t\tHost: ::1\n\t\t\tPort: 0\n",
    '25: Transports: x: LMTP: Host: "unix:/run/lmtp" is neither a domain nor an IP address',
  ],
  [
    "scanner of no kind",
    "Transports:\n",
    "Scanners:\n\tx:\n\t\tTimeout: 10s\nTransports:\n",
    "23: one of Milter, Rspamd and ClamAV must be set",
  ],
  [
    "scanner of two kinds",
    "Transports:\n",
    "Scanners:\n\tx:\n\t\tMilter:\n\t\t\tAddress: localhost:8891\n\t\tClamAV:\n\t\t\tAddress: localhost:3310\nTransports:\n",
    "23: a scanner is of one kind, not of 2: Milter, ClamAV",
  ],
  [
    "name of a scanner",
    "Transports:\n",
    "Scanners:\n\tMy one:\n\t\tMilter:\n\t\t\tAddress: localhost:8891\nTransports:\n",
    "23: its name must be of at most 40 lower-case letters, digits and hyphens",
  ],
  [
    "address of a scanner",
    "Transports:\n",
    "Scanners:\n\tx:\n\t\tMilter:\n\t\t\tAddress: localhost\nTransports:\n",
    '25: Scanners: x: Milter: Address: "localhost" is neither unix:/path nor host:port',
  ],
  [
    "socket of a scanner",
    "Transports:\n",
    "Scanners:\n\tx:\n\t\tClamAV:\n\t\t\tAddress: unix:clamd.ctl\nTransports:\n",
    '25: Scanners: x: ClamAV: Address: "unix:clamd.ctl" has no absolute path of a socket behind unix:',
  ],
  [
    "the smallest limit of a scanner is none too few",
    "Transports:\n",
    "Scanners:\n\tx:\n\t\tRefuseLarger: true\n\t\tMaxMessageSize: 1\n\t\tClamAV:\n\t\t\tAddress: unix:/run/clamd\nTransports:\n",
  ],
  [
    "time of a scanner",
    "Transports:\n",
    "Scanners:\n\tx:\n\t\tTimeout: 10m\n\t\tClamAV:\n\t\t\tAddress: unix:/run/clamd\nTransports:\n",
    "24: must be between 1s and 4m",
  ],
  [
    "scanner that is none",
    "Transports:\n",
    "OutgoingScanners:\n\t- rspamd\nTransports:\n",
    '23: there is no "rspamd" in Scanners of this file',
  ],
  [
    "scanner of a listener that is none",
    "Enabled: true\n\t\tMTA",
    "Enabled: true\n\t\t\tScanners:\n\t\t\t\t- rspamd\n\t\tMTA",
    '16: there is no "rspamd" in Scanners of this file',
  ],
  [
    "window of greylisting",
    "Enabled: true\n\t\tMTA",
    "Enabled: true\n\t\t\tGreylist:\n\t\t\t\tWindow: 1m\n\t\tMTA",
    "16: must be longer than Delay",
  ],
  [
    "misspelt key",
    "Hostname:",
    "Hostnam:",
    '3: unknown key "Hostnam": did you mean Hostname?',
    "0: the key Hostname is missing",
  ],
  [
    "key of another file",
    "LogLevel: info",
    "LogLevel: info\nDomains:\n\tx: nil",
    '3: unknown key "Domains": it belongs into domains.conf',
  ],
  ["missing key", "LogLevel: info\n", "", "0: the key LogLevel is missing"],
  ["empty value", "Hostname: mail.mox.example", "Hostname:", "3: Hostname: must not be empty"],
  [
    "word",
    "LogLevel: info",
    "LogLevel: loud",
    '2: LogLevel: "loud" is not one of "error", "warn", "info", "debug", "trace", "traceauth", "tracedata"',
  ],
  [
    "boolean",
    "LogLevel: info",
    "LogLevel: info\nPedantic: yes",
    '3: Pedantic: expected true or false, got "yes"',
  ],
  [
    "number",
    "Enabled: true\n\t\tMTA",
    "Enabled: true\n\t\t\tPort: smtp\n\t\tMTA",
    '15: Listeners: public: SMTP: Port: expected a whole number from 0 to 65535, got "smtp"',
  ],
  [
    "port out of range",
    "Enabled: true\n\t\tMTA",
    "Enabled: true\n\t\t\tPort: 65536\n\t\tMTA",
    '15: Listeners: public: SMTP: Port: expected a whole number from 0 to 65535, got "65536"',
  ],
  [
    "duration",
    "Enabled: true\n\t\tMTA",
    "Enabled: true\n\t\t\tFirstTimeSenderDelay: 15\n\t\tMTA",
    '15: Listeners: public: SMTP: FirstTimeSenderDelay: expected a duration such as 15s, 30m or 1h30m, got "15"',
  ],
  [
    "IP",
    "- 192.0.2.10",
    "- mail.mox.example",
    '7: Listeners: public: IPs: "mail.mox.example" is not an IP address',
  ],
  [
    "domain",
    "Hostname: mail.mox.example",
    "Hostname: mail mox",
    '3: Hostname: "mail mox" is not a domain: it has a character that domains can\'t have',
  ],
  [
    "domain in ASCII form",
    "Hostname: mail.mox.example",
    "Hostname: xn--bcher-kva.example",
    '3: Hostname: "xn--bcher-kva.example" must be written "b\u00fccher.example"',
  ],
  [
    "domain in upper case",
    "Hostname: mail.mox.example",
    "Hostname: Mail.mox.example",
    '3: Hostname: "Mail.mox.example" must be written "mail.mox.example"',
  ],
  [
    "spaces for tabs",
    "\tpublic:",
    "   public:",
    "5: indented with spaces: use tabs only, one for each level (or four spaces)",
  ],
  [
    "indented less than the block's first line, and more than the key",
    "\t\tIPs:",
    "\t\t\tNATIPs:\n\t\tIPs:",
    "7: indented by 2 tabs where 3 were expected",
  ],
  [
    "indented below a value",
    "LogLevel: info",
    "LogLevel: info\n\tx: y",
    "3: indented below LogLevel, which has a value already",
  ],
  ["indented at the start", "DataDir:", "\tDataDir:", "1: indented without a key above it"],
  [
    "no colon",
    "LogLevel: info",
    "LogLevel info",
    '2: expected "Key: value", got "LogLevel info": the colon is missing',
  ],
  [
    "no space after the colon",
    "LogLevel: info",
    "LogLevel:info",
    '2: a space is missing after the colon of "LogLevel"',
  ],
  [
    "space before the colon",
    "LogLevel: info",
    "LogLevel : info",
    '2: white space between "LogLevel" and the colon',
  ],
  ["no key", "LogLevel: info", ": info", "2: the key before the colon is missing"],
  ["key twice", "LogLevel: info", "LogLevel: info\nLogLevel: debug", "3: LogLevel is there twice"],
  [
    "list item without space",
    "- 192.0.2.10",
    "-192.0.2.10",
    '7: a space is missing after "-"',
  ],
  [
    "key in a list",
    "- 192.0.2.10",
    "- 192.0.2.10\n\t\t\tIP: x",
    '8: expected a list item starting with "-", got "IP: x"',
  ],
  [
    "list for a value",
    "LogLevel: info",
    "LogLevel:\n\t- info",
    '2: LogLevel: expected one of "error", "warn", "info", "debug", "trace", "traceauth", "tracedata", got a block of indented lines',
    "2: LogLevel: must not be empty",
  ],
  [
    "value for a list",
    /IPs:\n\t\t\t- 192.0.2.10/,
    "IPs: 192.0.2.10",
    '6: Listeners: public: IPs: expected a list of lines starting with "- " below, got "192.0.2.10"',
  ],
  [
    "value for a block",
    /Postmaster:\n.*\n.*\n/,
    "Postmaster: ann\n",
    '19: Postmaster: expected a block of indented keys below, got "ann"',
  ],
  [
    "address twice",
    "- 192.0.2.10",
    "- 192.0.2.10\n\t\t\t- 192.0.2.10",
    "8: 192.0.2.10 is there twice",
  ],
  [
    "service twice",
    /\t\tTLS:\n(\t\t\t.*\n)+/,
    "\t\tIMAPS:\n\t\t\tEnabled: true\n\t\tSMTP:\n\t\t\tEnabled: true\n",
    "12: SMTP is there twice",
  ],
  [
    "services that need TLS",
    /\t\tTLS:\n(?:\t\t\t.*\n){4}/,
    "\t\tIMAPS:\n\t\t\tEnabled: true\n",
    "5: TLS is missing, which is needed for SMTP, IMAPS, MTASTSHTTPS, WebserverHTTPS",
  ],
  [
    "unknown ACME",
    /KeyCerts:\n(?:\t\t\t\t.*\n){3}/,
    "ACME: letsencrypt\n",
    '9: there is no "letsencrypt" in ACME of this file',
  ],
  [
    "neither ACME nor certificates",
    /KeyCerts:\n(?:\t\t\t\t.*\n){3}/,
    "MinVersion: TLSv1.3\n",
    "8: either ACME or KeyCerts must be set",
  ],
  [
    "port taken by another service",
    "Enabled: true\n\t\tMTA",
    "Enabled: true\n\t\tIMAP:\n\t\t\tEnabled: true\n\t\t\tPort: 25\n\t\tMTA",
    "17: port 25 is taken for SMTP by SMTP already",
  ],
  [
    "port taken by another listener",
    "Postmaster:",
    "\tother:\n\t\tIPs:\n\t\t\t- 192.0.2.10\n\t\tMetricsHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: 25\nPostmaster:",
    "24: port 25 of 192.0.2.10 is taken by listener public already",
  ],
  [
    "loopback as public address",
    "\t\tTLS:",
    "\t\tNATIPs:\n\t\t\t- 127.0.0.1\n\t\tTLS:",
    "9: 127.0.0.1 is not a public address",
  ],
  [
    "initial inbox",
    "Transports:",
    "InitialMailboxes:\n\tRegular:\n\t\t- INBOX\nTransports:",
    "24: Inbox is always made and must not be listed",
  ],
  [
    "initial mailbox twice",
    "Transports:",
    "InitialMailboxes:\n\tSpecialUse:\n\t\tSent: A\n\t\tJunk: A\nTransports:",
    "25: A is there twice",
  ],
  [
    "mailboxes old and new",
    "Transports:",
    "DefaultMailboxes:\n\t- A\nInitialMailboxes:\n\tRegular:\n\t\t- B\nTransports:",
    "22: can't go together with InitialMailboxes, which replaces it: remove DefaultMailboxes",
  ],
  [
    "mailbox name",
    "Mailbox: Postmaster",
    "Mailbox: a//b",
    '21: Postmaster: Mailbox: "a//b" has an empty name before or after a /',
  ],
  [
    "transport of two kinds",
    "Host: smtp.relay.example",
    "Host: smtp.relay.example\n\t\tDirect:\n\t\t\tDisableIPv6: true",
    "23: a transport is of one kind, not of 2: Submission, Direct",
  ],
  [
    "transport for no network",
    /\t\tSubmission:\n.*\n/,
    "\t\tDirect:\n\t\t\tDisableIPv4: true\n\t\t\tDisableIPv6: true\n",
    "24: with both DisableIPv4 and DisableIPv6 nothing can be delivered",
  ],
  [
    "mechanism",
    "Host: smtp.relay.example",
    "Host: smtp.relay.example\n\t\t\tAuth:\n\t\t\t\tUsername: a\n\t\t\t\tPassword: b\n\t\t\t\tMechanisms:\n\t\t\t\t\t- DIGEST-MD5",
    '30: Transports: relay: Submission: Auth: Mechanisms: "DIGEST-MD5" is not one of "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN"',
  ],
];

Deno.test("mistakes in mox.conf", () => {
  table(staticMistakes, smallStatic, (text) => lines(readStatic(text).problems));
});

const dynamicMistakes: Mistake[] = [
  [
    "days of retention",
    "\tann:\n",
    "\tann:\n\t\tRetention:\n\t\t\tA//B: 10\n\t\t\t\\Bin: 10\n\t\t\tinbox: 10\n\t\t\tOld: -1\n\t\t\tX: 2 weeks\n",
    '16: Accounts: ann: Retention: "A//B" has an empty name before or after a /',
    '17: Accounts: ann: Retention: "\\\\Bin" is not one of \\Archive, \\Drafts, \\Junk, \\Sent, \\Trash',
    '18: Accounts: ann: Retention: "inbox" must be written "Inbox"',
    '19: Accounts: ann: Retention: Old: expected a whole number from 0 to 36500, got "-1"',
    '20: Accounts: ann: Retention: X: expected a whole number from 0 to 36500, got "2 weeks"',
  ],
  [
    "journal of a domain",
    "Domains:\n\tmox.example:\n",
    "Domains:\n\tmox.example:\n\t\tJournal:\n\t\t\tAddress: nobody\n\t\t\tMailbox: a//b\n",
    '4: Domains: mox.example: Journal: Address: "nobody" is not an address: it has no @',
    '5: Domains: mox.example: Journal: Mailbox: "a//b" has an empty name before or after a /',
  ],
  [
    "switch of an account's warnings",
    "\tann:\n",
    "\tann:\n\t\tNoQuotaWarnings: never\n",
    '15: Accounts: ann: NoQuotaWarnings: expected true or false, got "never"',
  ],
  [
    "a provider and a directory that mox.conf doesn't have",
    "Domains:\n\tmox.example:\n",
    "Domains:\n\tmox.example:\n\t\tOpenIDProvider: company\n\t\tLDAPDirectory: staff\n",
    '3: there is no "company" among OpenIDProviders of mox.conf',
    '4: there is no "staff" among LDAPDirectories of mox.conf',
  ],
  [
    "a group of no directory",
    "Domains:\n\tmox.example:\n",
    "Domains:\n\tmox.example:\n\t\tLDAPGroup: (member=%s)\n",
    "3: needs LDAPDirectory, which has the group",
  ],
  [
    "a group that is no filter",
    "Domains:\n\tmox.example:\n",
    "Domains:\n\tmox.example:\n\t\tLDAPGroup: sales\n",
    '3: Domains: mox.example: LDAPGroup: "sales" is not a filter like (member=%s)',
  ],
  [
    "a group that is the same for everybody",
    "Domains:\n\tmox.example:\n",
    "Domains:\n\tmox.example:\n\t\tLDAPGroup: (cn=sales)\n",
    '3: Domains: mox.example: LDAPGroup: "(cn=sales)" has neither %s nor an attribute such as %{uid}: it would be the ' +
    "same for everybody",
  ],
  [
    "a group by an attribute without a name",
    "Domains:\n\tmox.example:\n",
    "Domains:\n\tmox.example:\n\t\tLDAPGroup: (memberUid=%{})\n",
    '3: Domains: mox.example: LDAPGroup: "(memberUid=%{})" has %{ without the name of an attribute, as in ' +
    "(memberUid=%{uid})",
  ],
  [
    "administrators of a domain",
    "Domains:\n\tmox.example:\n",
    "Domains:\n\tmox.example:\n\t\tAdministrators:\n\t\t\t- ann\n\t\t\t- eve\n\t\t\t- ann\n",
    '5: there is no account "eve"',
    "6: ann is there twice",
  ],
  [
    "relay by no transport, and accounts that are none",
    "Domains:\n\tmox.example:\n",
    "Domains:\n\tmox.example:\n\t\tRelay:\n\t\t\tTransport: other\n\t\t\tSenders:\n\t\t\t\t- eve\n",
    '4: there is no "other" among Transports of mox.conf',
    '6: there is no account "eve"',
  ],
  [
    "relay and a catch-all",
    /\tb\u00fccher\.example: nil\n/,
    "\tb\u00fccher.example:\n\t\tRelay:\n\t\t\tTransport: relay\n",
    "27: the domain has Relay, which takes what no address is there for",
  ],
  [
    "unknown domain of an address",
    "bob@mox.example:",
    "bob@other.example:",
    "8: bob@mox.example is not an address of an account here",
    "23: the domain other.example is not among Domains",
  ],
  [
    "address twice",
    "@b\u00fccher.example: nil\n",
    "Ann+x@mox.example: nil\n",
    '25: the address has the separator "+" of its domain, so no mail would reach it',
  ],
  [
    "address of two accounts",
    "\t\t\t@b\u00fccher.example: nil\n",
    "\t\t\tANN@mox.example: nil\n",
    "25: the address is that of account ann already",
  ],
  [
    "catch-all of two accounts",
    "Ann@case.example: nil",
    "@b\u00fccher.example: nil",
    "25: the catch-all is that of account ann already",
  ],
  [
    "no address",
    "Ann@case.example: nil",
    "ann@@case.example: nil",
    '18: "ann@@case.example" is not an address: it "ann@" can\'t be the part before the @',
  ],
  [
    "postmaster's account missing",
    /ann:\n\t\tDomain/,
    "eve:\n\t\tDomain",
    '13: there is no account "ann", the Postmaster of mox.conf',
  ],
  [
    "name of an account",
    "\tbob:\n",
    "\tb/ob:\n",
    '20: Accounts: "b/ob" can\'t be the name of an account, as that of its folder',
  ],
  [
    "accounts that differ by case",
    "\tbob:\n",
    "\tAnn:\n",
    '20: the name differs from "ann" by case only: their folders could be the same',
  ],
  ["alias of an address", "team:", "ann:", "5: the address is that of account ann already"],
  [
    "separator that no localpart has",
    "LocalpartCatchallSeparator: +",
    'LocalpartCatchallSeparator: "',
    '2: "\\"" can\'t be a separator in a localpart',
  ],
  ["alias with a separator", "team:", "te+am:", '5: the alias has the separator "+" of its domain'],
  ["alias without members", /Addresses:\n.*\n.*\n/, "Addresses:\n", "6: an alias needs a member"],
  ["member twice", "- bob@mox.example", "- ANN@mox.example", "8: ANN@mox.example is there twice"],
  [
    "alias that is no localpart",
    "team:",
    "te am:",
    '5: Domains: mox.example: Aliases: "te am" "te am" can\'t be the part before the @',
  ],
  [
    "domain in ASCII form",
    "b\u00fccher.example: nil\nAcc",
    "xn--bcher-kva.example: nil\nAcc",
    '12: Domains: "xn--bcher-kva.example" must be written "b\u00fccher.example"',
  ],
  [
    "two kinds of separators",
    "LocalpartCatchallSeparator: +",
    "LocalpartCatchallSeparator: +\n\t\tLocalpartCatchallSeparators:\n\t\t\t- -",
    "3: can't go together with LocalpartCatchallSeparators",
  ],
  [
    "signing without a key",
    "LocalpartCaseSensitive: true",
    "DKIM:\n\t\t\tSelectors:\n\t\t\t\ta:\n\t\t\t\t\tPrivateKeyFile: x\n\t\t\tSign:\n\t\t\t\t- b",
    '16: there is no selector "b"',
  ],
  [
    "From not signed",
    "LocalpartCaseSensitive: true",
    "DKIM:\n\t\t\tSelectors:\n\t\t\t\ta:\n\t\t\t\t\tHeaders:\n\t\t\t\t\t\t- To\n\t\t\t\t\tPrivateKeyFile: x",
    "14: From must be among the signed headers",
  ],
  [
    "DMARC account",
    "LocalpartCaseSensitive: true",
    "DMARC:\n\t\t\tLocalpart: dmarc\n\t\t\tAccount: eve\n\t\t\tMailbox: DMARC",
    '13: there is no account "eve"',
  ],
  [
    "DMARC domain",
    "LocalpartCaseSensitive: true",
    "DMARC:\n\t\t\tLocalpart: dmarc\n\t\t\tDomain: other.example\n\t\t\tAccount: ann\n\t\t\tMailbox: DMARC",
    "13: other.example is not among Domains",
  ],
  [
    "report address not ASCII",
    "LocalpartCaseSensitive: true",
    "TLSRPT:\n\t\t\tLocalpart: r\u00e9ports\n\t\t\tAccount: ann\n\t\t\tMailbox: TLS",
    "12: must be ASCII, as other servers may not send to it otherwise",
  ],
  [
    "MTA-STS mode",
    "LocalpartCaseSensitive: true",
    "MTASTS:\n\t\t\tPolicyID: 1\n\t\t\tMode: on\n\t\t\tMaxAge: 24h",
    '13: Domains: case.example: MTASTS: Mode: "on" is not one of "none", "testing", "enforce"',
  ],
  [
    "MTA-STS policy id",
    "LocalpartCaseSensitive: true",
    "MTASTS:\n\t\t\tPolicyID: a-b\n\t\t\tMode: none\n\t\t\tMaxAge: 24h",
    '12: Domains: case.example: MTASTS: PolicyID: "a-b" must be 1 to 32 letters and digits',
  ],
  [
    "unknown transport",
    "Accounts:",
    "Routes:\n\t-\n\t\tTransport: rely\nAccounts:",
    '15: there is no "rely" among Transports of mox.conf',
  ],
  [
    "route's domain",
    "Accounts:",
    "Routes:\n\t-\n\t\tToDomain:\n\t\t\t- .a..b\n\t\tTransport: relay\nAccounts:",
    '16: ".a..b" is not a domain',
  ],
  [
    "rejects in the inbox",
    "\tbob:\n",
    "\tbob:\n\t\tRejectsMailbox: inbox\n",
    "21: must not be the Inbox: messages in it are removed after some time",
  ],
  [
    "regular expression",
    "\tbob:\n",
    "\tbob:\n\t\tAutomaticJunkFlags:\n\t\t\tEnabled: true\n\t\t\tJunkMailboxRegexp: ^(junk\n",
    '23: Accounts: bob: AutomaticJunkFlags: JunkMailboxRegexp: "^(junk" is not a regular expression: it has a ( without a )',
  ],
  [
    "ruleset without condition",
    "Mailbox: Private",
    "Rulesets:\n\t\t\t\t\t-\n\t\t\t\t\t\tMailbox: x",
    "25: a ruleset needs a condition: SMTPMailFromRegexp, MsgFromRegexp, VerifiedDomain or HeadersRegexp",
  ],
  [
    "forward without its server",
    "Mailbox: Private",
    "Rulesets:\n\t\t\t\t\t-\n\t\t\t\t\t\tVerifiedDomain: a.example\n\t\t\t\t\t\tIsForward: true\n\t\t\t\t\t\tMailbox: x",
    "27: needs both SMTPMailFromRegexp and VerifiedDomain",
  ],
  [
    "header in upper case",
    "Mailbox: Private",
    "Rulesets:\n\t\t\t\t\t-\n\t\t\t\t\t\tHeadersRegexp:\n\t\t\t\t\t\t\t^List-Id$: x\n\t\t\t\t\t\tMailbox: x",
    '27: Accounts: bob: Destinations: bob@mox.example: Rulesets: HeadersRegexp: "^List-Id$" must be in lower case',
  ],
  [
    "SMTPError",
    "Mailbox: Private",
    "SMTPError: 451 later",
    '24: Accounts: bob: Destinations: bob@mox.example: SMTPError: "451 later" must start with 421 or 550',
  ],
  [
    "SMTPError with a mailbox",
    "Mailbox: Private",
    "Mailbox: Private\n\t\t\t\tSMTPError: 550",
    "25: can't go together with Mailbox, which would get nothing",
  ],
  [
    "login message",
    "\tbob:\n",
    "\tbob:\n\t\tLoginDisabled: gesch\u00e4lossen\n",
    '21: Accounts: bob: LoginDisabled: "gesch\u00e4lossen" must be printable ASCII',
  ],
  [
    "webhook",
    "\tbob:\n",
    "\tbob:\n\t\tIncomingWebhook:\n\t\t\tURL: ftp://x/\n",
    '22: Accounts: bob: IncomingWebhook: URL: "ftp://x/" must be a URL starting with http:// or https://',
  ],
  [
    "webhook's event",
    "\tbob:\n",
    "\tbob:\n\t\tOutgoingWebhook:\n\t\t\tURL: https://x.example/\n\t\t\tEvents:\n\t\t\t\t- bounced\n",
    '24: Accounts: bob: OutgoingWebhook: Events: "bounced" is not one of "delivered", "suppressed", "delayed", "failed", "relayed", "expanded", "canceled", "unrecognized"',
  ],
  [
    "fromid without separator",
    "\tann:\n",
    "\tann:\n\t\tFromIDLoginAddresses:\n\t\t\t- Ann@case.example\n",
    "16: the domain of Ann@case.example has no LocalpartCatchallSeparator, which this needs",
  ],
  [
    "fromid of another account",
    "\tann:\n",
    "\tann:\n\t\tFromIDLoginAddresses:\n\t\t\t- bob+x@mox.example\n",
    "16: bob+x@mox.example is not an address of the account",
  ],
  [
    "junk threshold",
    "\tbob:\n",
    "\tbob:\n\t\tJunkFilter:\n\t\t\tThreshold: 95\n\t\t\tParams:\n\t\t\t\tMaxPower: 0.01\n\t\t\t\tTopWords: 10\n",
    '22: Accounts: bob: JunkFilter: Threshold: expected a number from 0 to 1, got "95"',
  ],
  [
    "handler of two kinds",
    "Accounts:",
    "WebHandlers:\n\t-\n\t\tDomain: a.example\n\t\tPathRegexp: ^/\n\t\tWebStatic:\n\t\t\tRoot: x\n\t\tWebForward:\n\t\t\tURL: http://127.0.0.1/\nAccounts:",
    "14: a handler needs exactly one of WebStatic, WebRedirect, WebForward and WebInternal, not 2",
  ],
  [
    "handler's path",
    "Accounts:",
    "WebHandlers:\n\t-\n\t\tDomain: a.example\n\t\tPathRegexp: /x\n\t\tWebStatic:\n\t\t\tRoot: x\nAccounts:",
    '16: WebHandlers: PathRegexp: "/x" must start with ^',
  ],
  [
    "redirect without aim",
    "Accounts:",
    "WebHandlers:\n\t-\n\t\tDomain: a.example\n\t\tPathRegexp: ^/\n\t\tWebRedirect:\n\t\t\tStatusCode: 200\nAccounts:",
    "17: needs BaseURL, or OrigPathRegexp with ReplacePath",
    "18: 200 is no redirect: 300 to 399",
  ],
  [
    "redirect with a path",
    "Accounts:",
    "WebHandlers:\n\t-\n\t\tDomain: a.example\n\t\tPathRegexp: ^/\n\t\tWebRedirect:\n\t\t\tBaseURL: https://b.example/x\nAccounts:",
    '18: WebHandlers: WebRedirect: BaseURL: "https://b.example/x" must have no path',
  ],
  [
    "redirect to itself",
    "Accounts:",
    "WebDomainRedirects:\n\ta.example: A.example\nAccounts:",
    "14: a.example would be redirected to itself",
  ],
  [
    "block list twice",
    "Accounts:",
    "MonitorDNSBLs:\n\t- bl.example\n\t- bl.example\nAccounts:",
    "15: bl.example is there twice",
  ],
  [
    "several at once",
    /mox\.example: nil\n\t\t\tAnn@case/,
    "mox.example: 3\n\t\t\tAnn@case",
    '17: Accounts: ann: Destinations: ann@mox.example: expected a block of indented keys below, got "3"',
  ],
];

Deno.test("mistakes in domains.conf", () => {
  const s = staticOf(smallStatic);
  assert.deepEqual(readDynamic(smallDynamic, s).problems, []);
  table(dynamicMistakes, smallDynamic, (text) => lines(readDynamic(text, s).problems));
});

Deno.test("references between services that no listener has", () => {
  const s = staticOf(smallStatic.replace(/\t\tMTASTSHTTPS:\n(?:\t.*\n)+/, ""));
  const text = smallDynamic.replace(
    "Accounts:",
    "WebDomainRedirects:\n\ta.example: b.example\nAccounts:",
  ).replace(
    "LocalpartCaseSensitive: true",
    "MTASTS:\n\t\t\tPolicyID: 1\n\t\t\tMode: none\n\t\t\tMaxAge: 24h",
  );
  assert.deepEqual(lines(readDynamic(text, s).problems), [
    "11: no listener in mox.conf has MTASTSHTTPS, which serves the policy",
    "16: no listener in mox.conf has WebserverHTTP or WebserverHTTPS enabled, which would serve it",
  ]);
});

Deno.test("all mistakes of both files are told at once, with file and line", () =>
  inConfigDir(async (dir) => {
    await Deno.writeTextFile(
      join(dir, "mox.conf"),
      smallStatic.replace("LogLevel: info", "LogLevel: loud").replace("192.0.2.10", "x"),
    );
    await Deno.writeTextFile(
      join(dir, "domains.conf"),
      smallDynamic.replace("LocalpartCaseSensitive: true", "LocalpartCaseSensitive: 1"),
    );
    await assert.rejects(Config.load(join(dir, "mox.conf")), (err: unknown) => {
      assert.ok(err instanceof ConfigError);
      const message = err.message.replaceAll(dir, "").replaceAll("\\", "/");
      assert.match(message, /^\/mox\.conf:2: LogLevel: "loud" is not one of/);
      assert.match(message, /\n\/mox\.conf:7: .*"x" is not an IP address/);
      assert.match(message, /\n\/domains\.conf:11: .*expected true or false, got "1"$/);
      return true;
    });
  }));

Deno.test("files that can't be read, and keys that are none, are told", () =>
  inConfigDir(async (dir) => {
    const load = async (s: string, d: string): Promise<string> => {
      await Deno.writeTextFile(join(dir, "mox.conf"), s);
      await Deno.writeTextFile(join(dir, "domains.conf"), d);
      try {
        await Config.load(join(dir, "mox.conf"));
        return "";
      } catch (err) {
        return (err as Error).message.replaceAll(dir, "").replaceAll("\\", "/");
      }
    };
    const selector = (file: string, more = "") =>
      smallDynamic.replace(
        "LocalpartCaseSensitive: true",
        `DKIM:\n\t\t\tSelectors:\n\t\t\t\ta:\n\t\t\t\t\tPrivateKeyFile: ${file}${more}`,
      );
    assert.equal(await load(smallStatic, smallDynamic), "");
    assert.equal(await load(smallStatic, selector("dkim/rsa.pem")), "");
    assert.equal(await load(smallStatic, selector("dkim/ed25519.pem")), "");
    assert.equal(
      await load(smallStatic, selector("dkim/none.pem")),
      "/domains.conf:14: /dkim/none.pem: there is no such file",
    );
    assert.equal(
      await load(smallStatic, selector("mail.crt")),
      "/domains.conf:14: /mail.crt is not a private key in PEM form",
    );
    assert.equal(
      await load(smallStatic, selector("mail.key")),
      "/domains.conf:14: a key of kind ec: only rsa and ed25519 sign DKIM",
    );
    assert.equal(
      await load(smallStatic, selector("dkim/ed25519.pem", "\n\t\t\t\t\tHash: sha1")),
      "/domains.conf:14: an Ed25519 key signs with Hash sha256 only",
    );
    assert.equal(
      await load(smallStatic.replace("KeyFile: mail.key", "KeyFile: rsa.key"), smallDynamic),
      "/mox.conf:10: the key in rsa.key is not that of the certificate in mail.crt",
    );
    assert.equal(
      await load(smallStatic.replace("CertFile: mail.crt", "CertFile: mail.key"), smallDynamic),
      "/mox.conf:11: /mail.key has no certificate in PEM form",
    );
    await Deno.writeFile(join(dir, "mox.conf"), new Uint8Array([65, 58, 10, 255, 10]));
    await assert.rejects(Config.load(join(dir, "mox.conf")), /mox\.conf:2: the line is not UTF-8/);
    await Deno.remove(join(dir, "domains.conf"));
    await assert.rejects(
      Config.load(join(dir, "mox.conf")),
      /domains\.conf: there is no such file/,
    );
  }));
