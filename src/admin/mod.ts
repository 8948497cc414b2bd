/**
 * Administration of a server: domains, accounts, addresses and aliases, DKIM keys, the required DNS
 * records, and checks of existing ones. The subcommands (through the
 * running server, or directly) and the admin page call the same functions.
 *
 * A change is written to domains.conf in one step and in effect when its function returns; failures are
 * {@link AdminError}s (or ConfigErrors for a file with mistakes) with a message for the administrator.
 *
 * Imports what is below delivery. Used by web, serve and commands.
 *
 * @module
 */
export { type Actor, type AuditChange, auditChanges, type AuditEntry, AuditLog } from "./audit.ts";
export {
  type HealthCheck,
  type HealthSources,
  type HealthState,
  serverHealth,
  standbyHealth,
  whyNotReady,
  worstState,
} from "./health.ts";
export { AdminError } from "./errors.ts";
export {
  addDomain,
  administeredDomains,
  type NewDomain,
  removeDomain,
  setDomainAdministrators,
  setDomainDisabled,
} from "./domains.ts";
export {
  type AdminArea,
  type AdminScope,
  adminScopes,
  type AdminToken,
  AdminTokens,
  mayUse,
  type NewAdminToken,
} from "./tokens.ts";
export {
  addDkim,
  type DomainSettings,
  type MtaStsPolicy,
  removeDkim,
  type ReportAddress,
  type RouteSettings,
  setDkimSign,
  setDomain,
  setMtaStsMode,
  setMtaStsPolicy,
  setReportAddress,
  setRoutes,
} from "./domain_settings.ts";
export {
  type AccountSettings,
  type KeepingSettings,
  retentionRules,
  setAccount,
  setKeeping,
} from "./account_settings.ts";
export { type JournalSettings, setJournal } from "./journal.ts";
export {
  addAccount,
  addAddress,
  disableLogin,
  enableLogin,
  finishRemovals,
  removeAccount,
  removeAddress,
} from "./accounts.ts";
export {
  addAlias,
  addAliasMembers,
  type AliasOptions,
  removeAlias,
  removeAliasMembers,
  setAliasMembers,
  updateAlias,
} from "./aliases.ts";
export {
  addList,
  addListMembers,
  listOf,
  type ListSettings,
  removeList,
  removeListMembers,
  resumeListMember,
  type RunningLists,
  updateList,
} from "./lists.ts";
export { type DkimAlgorithm, dkimRecordText, makeDkimKey, newDkimSelector } from "./dkim_keys.ts";
export { type DnsRecord, domainRecords, formatZone, type RecordOptions } from "./records.ts";
export { type ClientService, clientServices } from "./client_config.ts";
export { randomPassword, writeAdminPassword } from "./passwords.ts";
export { type DnsPlan, planDnsWrite, recordText, writeDns } from "./dns_write.ts";
export {
  beginDkimRotation,
  continueDkimRotations,
  dkimRotations,
  type Rotation,
  type RotationNews,
} from "./dkim_rotation.ts";
export { checkDomainDns } from "./dns_check.ts";
export {
  type CheckName,
  type DnsCheckOptions,
  type DomainCheck,
  type DomainCheckPart,
  type Finding,
} from "./dns_check_part.ts";
export { formatDomainCheck } from "./dns_check_text.ts";
export { blockListChoice } from "./block_lists.ts";
export { type DnsblState, dnsblStatus } from "./dnsbl_status.ts";
