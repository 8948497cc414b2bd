/**
 * The description and permissions of each call of the admin page and its API. Nobody can make a call that isn't listed
 * here; a test keeps the two tables consistent.
 *
 * @module
 */
import type { adminCalls } from "../../../webmail/admin/api/mod.ts";
import type { AdminArea } from "../../admin/mod.ts";

export type AdminCallName = keyof typeof adminCalls;

/** The rule of one call. */
export interface CallRule {
  area: AdminArea;
  /** "write" changes something, and is recorded in the audit log. */
  kind: "read" | "write";
  text: string;
  /** It changes domains.conf first, which allows a dry run. */
  trial?: true;
  /** For administrators of some domains only, within their limits (own_domains.ts). */
  own?: true;
  /** Not for tokens: calls that create or protect logins, or that concern a session. */
  pageOnly?: true;
}

const of = (area: AdminArea) => ({
  read: (text: string, more: Partial<CallRule> = {}): CallRule => ({
    area,
    kind: "read",
    text,
    ...more,
  }),
  write: (text: string, more: Partial<CallRule> = {}): CallRule => ({
    area,
    kind: "write",
    text,
    ...more,
  }),
});
const server = of("server");
const domains = of("domains");
const accounts = of("accounts");
const queue = of("queue");
const webhooks = of("webhooks");
const reports = of("reports");
const security = of("security");
const settings = of("settings");

/** Changes domains.conf, within one's own domains. */
const own = { own: true } as const;
const trial = { trial: true } as const;
const ownTrial = { own: true, trial: true } as const;
const pageOnly = { pageOnly: true } as const;

export const callRules: Readonly<Record<AdminCallName, CallRule>> = {
  Login: security.read("Log in to the page", pageOnly),
  Session: security.read("Whether somebody is logged in to the page", pageOnly),
  Logout: security.read("Log out of the page", pageOnly),

  Overview: server.read("The server at a glance: version, uptime, counts, disk, last backup"),
  Status: server.read("Whether the server is well: disk, queue, certificates, backup, block lists"),
  Glance: server.read("Figures of the last 24 hours"),
  Storage: server.read("Disk, and accounts by size"),
  BlockLists: server.read("What DNS block lists say of the server's addresses"),
  BlockListsSet: server.write("Set the block lists that are watched", trial),

  Domains: domains.read("All domains", own),
  Domain: domains.read("A domain with its addresses, aliases, keys and DNS records", own),
  DomainAdd: domains.write("Add a domain, with new DKIM keys", trial),
  DomainRemove: domains.write("Remove a domain without addresses", trial),
  DomainDisable: domains.write("Stop or resume taking mail for a domain", trial),
  DomainSet: domains.write("Set a domain's description, separators and client settings", ownTrial),
  DomainJournalSet: domains.write("Set where copies of all mail of a domain go", trial),
  DomainMtaSts: domains.write("Set the mode of a domain's MTA-STS policy", ownTrial),
  DomainMtaStsSet: domains.write("Set a domain's whole MTA-STS policy, or take it away", trial),
  DomainReportsSet: domains.write("Set where DMARC or TLS reports about a domain go", trial),
  DomainAdministratorsSet: domains.write("Name the accounts that administer a domain", trial),
  DomainRoutesSet: domains.write("Set which transports take a domain's messages", trial),
  RoutesSet: settings.write("Set which transports take messages", trial),
  DkimAdd: domains.write("Make a DKIM key, which doesn't sign yet", ownTrial),
  DkimSign: domains.write("Let a DKIM key sign, or no more", ownTrial),
  DkimRemove: domains.write("Take a DKIM key out of use", ownTrial),
  DomainCheck: domains.read("Compare a domain's DNS records with what they should be", own),
  AliasAdd: domains.write("Add an alias", ownTrial),
  AliasSet: domains.write("Set an alias's members and options", ownTrial),
  AliasMembersAdd: domains.write("Add members to an alias", ownTrial),
  AliasMembersRemove: domains.write("Take members out of an alias", ownTrial),
  AliasRemove: domains.write("Remove an alias", ownTrial),
  DnsPlan: domains.read("What would be written into a domain's zone", own),
  DnsWrite: domains.write("Write a domain's records into its zone"),
  DkimRotate: domains.write("Begin to change a domain's DKIM keys", own),
  DkimRotations: domains.read("Changes of DKIM keys under way", own),
  Lists: domains.read("Mailing lists of a domain", own),
  ListAdd: domains.write("Add a mailing list", ownTrial),
  ListSet: domains.write("Set a mailing list's settings", ownTrial),
  ListRemove: domains.write("Remove a mailing list with its members and archive", ownTrial),
  ListMembers: domains.read("Members of a mailing list, 200 at a time", own),
  ListMembersAdd: domains.write("Add members to a mailing list without asking them", own),
  ListMembersRemove: domains.write("Take members out of a mailing list", own),
  ListMemberResume: domains.write("Send to a member again whose messages came back", own),
  ListHeld: domains.read("Messages that wait for an owner of a mailing list", own),
  ListDecide: domains.write("Decide about a held message", own),

  Accounts: accounts.read("All accounts", own),
  Account: accounts.read("An account with its settings and logins", own),
  AccountAdd: accounts.write("Add an account; its password is made and answered once", ownTrial),
  AccountRemove: accounts.write("Remove an account with all its mail", ownTrial),
  AccountDisable: accounts.write(
    'Stop logins with a text for the user, or with "" let in',
    ownTrial,
  ),
  AccountSet: accounts.write("Set an account's name and limits", ownTrial),
  AccountKeepingSet: accounts.write("Set how long an account's messages are kept", trial),
  AccountAged: accounts.read("Which old messages of an account rules would remove now", own),
  AccountRoutesSet: accounts.write("Set which transports take an account's messages", trial),
  AccountPassword: accounts.write("Set an account's password, or have one made", own),
  AccountSessionsEnd: accounts.write("Log an account out of all pages", own),
  AddressAdd: accounts.write("Give an account an address", ownTrial),
  AddressRemove: accounts.write("Take an address away", ownTrial),
  SecondFactorRemove: accounts.write("Remove the second factor that a user has lost", own),

  MoveUsers: accounts.write("Make accounts of a list of another server's users"),
  MoveAliases: accounts.write("Take over aliases from a table of Postfix"),
  MoveByImap: accounts.write("Bring the mail of many accounts by IMAP", pageOnly),
  MoveMaildirs: accounts.write("Bring the mail of many accounts from Maildirs", pageOnly),
  MoveCyrus: accounts.write("Bring the mail of many accounts from a spool of Cyrus", pageOnly),
  MoveScripts: accounts.write("Take over Sieve scripts of another server's users", pageOnly),
  MoveState: accounts.read("How bringing the mail of many accounts stands"),
  MoveStop: accounts.write("Stop bringing mail; what was brought stays"),

  Nodes: server.read("The nodes that accounts are spread over, and accounts that move"),
  NodesPush: server.write("Give domains.conf to all nodes"),
  NodeMove: accounts.write("Begin to move an account to another node"),
  NodeMoveCancel: accounts.write("Call the move of an account off"),

  Queue: queue.read("Messages that wait to be sent"),
  QueueAct: queue.write("Hold, release, schedule, fail or drop messages, or change their way"),
  QueueMessage: queue.read("A message that waits, with its attempts and its first 256 KB"),
  HoldRules: queue.read("Rules that hold new messages"),
  HoldRuleAdd: queue.write("Add a rule that holds new messages"),
  HoldRuleRemove: queue.write("Remove a rule that holds new messages"),
  Retired: queue.read("Messages that have left the queue"),
  Suppressions: queue.read("Addresses that accounts don't write to any more"),
  SuppressionAdd: queue.write("Suppress an address for an account"),
  SuppressionRemove: queue.write("Let an account write to an address again"),

  Hooks: webhooks.read("Calls of webhooks that wait, and that were made"),
  HooksAct: webhooks.write("Make calls of webhooks now, or cancel them"),
  HookPayload: webhooks.read("What a call of a webhook says"),

  DmarcReports: reports.read("DMARC reports of others", own),
  DmarcReport: reports.read("A DMARC report", own),
  DmarcFailures: reports.read("Messages that others report as failing DMARC", own),
  DmarcToSend: reports.read("DMARC reports that are to be sent to others"),
  DmarcEvaluations: reports.read("What a DMARC report to a domain will say"),
  DmarcEvaluationsRemove: reports.write("Drop what a DMARC report to a domain would say"),
  DmarcSuppress: reports.write("Send no DMARC reports to an address, or with 0 days again"),
  TlsReports: reports.read("TLS reports of others", own),
  TlsReport: reports.read("A TLS report", own),
  TlsToSend: reports.read("TLS reports that are to be sent to others"),
  TlsResultsRemove: reports.write("Drop what a TLS report to a domain would say"),

  Attempts: security.read("Attempts to log in, and sessions of the page"),
  Audit: security.read("What administrators have changed"),
  AdminSecondFactorBegin: security.read("A new key for the second factor", pageOnly),
  AdminSecondFactorOn: security.write("Turn the administrator's second factor on", pageOnly),
  AdminSecondFactorOff: security.write("Turn the administrator's second factor off", pageOnly),
  AdminSessionsEnd: security.write("End all other sessions of the page", pageOnly),
  Connections: security.read("Open connections"),
  Scanners: security.read("Other programs that look at mail, and whether they answer"),
  Certificates: security.read("Certificates, and when they end"),
  StsPolicies: security.read("MTA-STS policies of others"),
  Tokens: security.read("Tokens of this API", pageOnly),
  TokenAdd: security.write("Make a token of this API", pageOnly),
  TokenRemove: security.write("Withdraw a token of this API", pageOnly),

  ConfigFiles: settings.read("The configuration files"),
  ConfigWrite: settings.write("Check or replace domains.conf"),
  ConfigHelp: settings.read("The fields of domains.conf"),
  WebServer: settings.read("Redirects and handlers of the web server"),
  WebServerSet: settings.write("Set redirects and handlers of the web server", trial),
  LogLevels: settings.read("Levels of the log"),
  LogLevelSet: settings.write("Set a level of the log until the next start"),
  PasswordSet: settings.write("Set the administrator's password", pageOnly),
};
