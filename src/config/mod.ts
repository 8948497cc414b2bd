/**
 * The two configuration files: mox.conf (fixed while the server runs) and domains.conf (domains and accounts;
 * reloaded when it changes, rewritten by the admin pages).
 *
 * {@link Config.load} reads both with all checks; the object looks up addresses and changes domains.conf. Field
 * names are those of the files, so `config.static.Listeners.get("public")! .SMTP.Port`. A field that is
 * optional in the file has its default in the value; durations are in milliseconds, blocks with user-chosen
 * names are Maps, blocks that may be absent are undefined.
 *
 * To add a field, add it to its struct with its documentation: type, check, writing and `config describe`
 * follow. Checks that concern several fields go into check_static.ts or check_dynamic.ts.
 *
 * Imports platform and log; for all above.
 *
 * @module
 */
import { describe } from "./sconf/describe.ts";
import { dynamicConfig } from "./dynamic/dynamic.ts";
import { staticConfig } from "./static/static.ts";

export { Config, dynamicPathOf } from "./config.ts";
export type { NewMailbox } from "./static/initial_mailboxes.ts";
export { tryChange } from "./trial.ts";
export { type AddressLookup, type LookupOptions } from "./lookup.ts";
export { type ConfigChange, type NameChanges } from "./changes.ts";
export {
  ConfigError,
  type FileProblem,
  type FileWarning,
  formatProblem,
  loadDynamic,
  loadStatic,
  readConfigFile,
  readDynamic,
  readStatic,
} from "./load.ts";
export { type DnsProvider } from "./static/dns_provider.ts";
export { attributesInFilter, type LdapDirectory, type OpenIdProvider } from "./static/identity.ts";
export type { Scanner } from "./static/scanner.ts";
export { type ACME, type SpecialUseMailboxes, type Static, staticConfig } from "./static/static.ts";
export { folderOfNodes, useNode } from "./one_machine.ts";
export { type Node } from "./dynamic/node.ts";
export { type Dynamic, dynamicConfig } from "./dynamic/dynamic.ts";
export { namedFiles } from "./dynamic/key_files.ts";
export {
  type Account,
  account,
  type Destination,
  destination,
  type JunkFilter,
  type JunkFilterParams,
  outgoingWebhookEvents,
  type Ruleset,
} from "./dynamic/account.ts";
export {
  type Alias,
  catchallSeparators,
  type Domain,
  domain,
  type Selector,
} from "./dynamic/domain.ts";
export {
  type ListAddress,
  listAddress,
  type ListRole,
  type MailingList,
  mailingList,
  type ResolvedList,
} from "./dynamic/mailing_list.ts";
export {
  defaultMaxMessageSize,
  firstTimeSenderDelay,
  type Greylist,
  type HttpService,
  type KeyCert,
  type Listener,
  listener,
  type ListenerTLS,
} from "./static/listener.ts";
export {
  type HostTransport,
  hostTransports,
  type Route,
  type Transport,
  type TransportLMTP,
  transportMechanisms,
  transportPort,
  type TransportSMTP,
  type TransportSocks,
} from "./static/transport.ts";
export {
  type WebForward,
  type WebHandler,
  webHandler,
  type WebInternal,
  type WebRedirect,
  type WebStatic,
} from "./dynamic/web_handler.ts";
export type { Relay } from "./dynamic/domain.ts";
export {
  type AccountAddress,
  type AddressIndex,
  type AliasMember,
  canonicalLocalpart,
  type DomainEntry,
  type ResolvedAlias,
} from "./dynamic/addresses.ts";
export { portUses } from "./static/check_static.ts";
export { formatConfig } from "./sconf/describe.ts";
export { formatDuration, parseDuration } from "./sconf/duration.ts";
export { type ConfigExample, configExamples } from "./examples.ts";
export { automaticJunkFlag, type JunkMark } from "./dynamic/junk_flags.ts";
export {
  compileRegExp,
  type LinearRegExp,
  RegExpSyntaxError,
  type StepBudget,
} from "./sconf/regexp.ts";
export {
  loadLocalserve,
  localserveAccount,
  localserveAddress,
  localserveAdminPassword,
  type LocalserveOptions,
  localservePassword,
  newAccountJunkSettings,
} from "./localserve.ts";
export { equal } from "./sconf/schema.ts";

/** All fields of mox.conf with their documentation, for `mox config describe-static`. */
export function describeStatic(): string {
  return describe(staticConfig);
}

/** All fields of domains.conf with their documentation, for `mox config describe-domains`. */
export function describeDomains(): string {
  return describe(dynamicConfig);
}
