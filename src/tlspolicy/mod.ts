/**
 * TLS requirements of other servers for mail delivered to them: MTA-STS (RFC 8461) and DANE (RFC 7672).
 *
 * May import platform, log, metrics, dns and store's database. Called by the queue, and by serve, which
 * opens it.
 *
 * @module
 */
export { danePolicy, tlsaText, usable, verifyChain } from "./dane.ts";
export { type DaneHost, daneHost } from "./dane_host.ts";
export { noPolicy, opportunistic } from "./opportunistic.ts";
export { Policies, type PoliciesOptions } from "./policies.ts";
export { type Fetch, fetchPolicy } from "./sts_fetch.ts";
export { matchesPattern, parsePolicy, recordId, StsError, type StsPolicy } from "./sts_policy.ts";
export type {
  DanePolicy,
  DomainPolicy,
  MxHost,
  TlsFailureDetail,
  TlsOutcome,
  TlsPolicy,
  TlsPolicyType,
  TlsResult,
  TlsResultType,
} from "./types.ts";
