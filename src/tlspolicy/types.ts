/**
 * What a delivery must know about TLS before it connects, and what it reports afterwards.
 *
 * The queue asks {@link TlsPolicy.policyFor} once for a recipient domain, {@link TlsPolicy.daneFor} for each
 * host that it is about to connect to, and reports how TLS went with each connection. It decides itself about
 * fallback to plain text: that is only allowed where nothing here (and no REQUIRETLS) demands TLS.
 *
 * @module
 */

/** What kind of policy a result is about (RFC 8460 §4.2). */
export type TlsPolicyType = "tlsa" | "sts" | "no-policy-found";

/** What went wrong, in the words of RFC 8460 §4.3. */
export type TlsResultType =
  | "starttls-not-supported"
  | "certificate-host-mismatch"
  | "certificate-expired"
  | "certificate-not-trusted"
  | "validation-failure"
  | "tlsa-invalid"
  | "dnssec-invalid"
  | "dane-required"
  | "sts-policy-fetch-error"
  | "sts-policy-invalid"
  | "sts-webpki-invalid";

/** A failure of TLS, as written in a report. */
export interface TlsFailureDetail {
  resultType: TlsResultType;
  /** A short name of the error, such as "CERT_HAS_EXPIRED"; "" if there is none. */
  reasonCode: string;
  /** Words for people; "" if there are none. */
  information: string;
}

/** What a recipient domain requires by MTA-STS (RFC 8461). */
export interface DomainPolicy {
  /**
   * - `none`: no policy, or one of mode none: opportunistic TLS.
   * - `testing`: as `none`, but what enforcing would have refused is reported.
   * - `enforce`: only hosts that match, only with TLS and a certificate that verifies.
   */
  mode: "none" | "testing" | "enforce";
  /** The domain that the policy is of, in ASCII. */
  domain: string;
  /** Patterns of its hosts, such as "*.example.com". */
  mx: readonly string[];
  /** Lines of the policy, for reports. Empty if there is none. */
  policyString: readonly string[];
  /** Whether the policy names this host (ASCII, lower case). True where there is no policy. */
  matches(mxHost: string): boolean;
  /** Fetching the policy failed, and this is an older one or none: goes into reports. */
  failure?: TlsFailureDetail;
}

/** A host that mail is about to be delivered to. */
export interface MxHost {
  /** In ASCII and lower case, as given by the MX record (or the domain itself). */
  host: string;
  port: number;
  /**
   * Names at which TLSA records are looked for, the first with records counts (RFC 7672 §2.1.3). Empty
   * where DNSSEC does not vouch for the way to the host: the MX records of the domain, or their absence, and
   * the host's own. Without that there is no DANE (RFC 7672 §2.2.1).
   */
  names: readonly string[];
  /** The recipient domain, and where its CNAME records lead to: certificates may also have these names. */
  domains: readonly string[];
}

/** What a host requires by DANE (RFC 7672). */
export type DanePolicy =
  /** No TLSA records, or none that can be trusted. */
  | { kind: "none" }
  /** The TLSA lookup failed where an answer was required: the host must not be used now (RFC 7672 §2.1). */
  | { kind: "unavailable"; failure: TlsFailureDetail }
  /** There are TLSA records, but no usable ones: TLS is needed, with any certificate (§2.2). */
  | { kind: "encrypt"; policyString: readonly string[] }
  /** TLS is needed, with a certificate that the records match. */
  | {
    kind: "verify";
    /** The TLSA base domain: the name for SNI. */
    serverName: string;
    policyString: readonly string[];
    /** Checks the certificates of the peer (DER, leaf first); undefined if they are right. */
    verify(chain: readonly Uint8Array[]): TlsFailureDetail | undefined;
  };

/** How a policy fared with one connection. */
export interface TlsOutcome {
  /** "no-policy-found" where there is none: then any TLS is a success. */
  policyType: TlsPolicyType;
  /** Undefined if its requirements were met. */
  failure: TlsFailureDetail | undefined;
}

/** How TLS went with one connection. */
export interface TlsResult {
  /** Of the recipients, in ASCII; "" if a transport named the host. */
  recipientDomain: string;
  policy: DomainPolicy;
  mxHost: string;
  dane: DanePolicy;
  localIp: string;
  /** "" if no connection was made. */
  remoteIp: string;
  /** Name by which the host introduced itself in its greeting; "" if it isn't known. */
  remoteHelo: string;
  /** The outcome for each policy that was applied. */
  outcomes: readonly TlsOutcome[];
  /** The message is a report or notification of this host: by itself it is no reason for a report. */
  isReport: boolean;
}

/** The policies of other servers. Methods don't fail: what could not be found out is part of the result. */
export interface TlsPolicy {
  /** The policy of a recipient domain (ASCII). `signal` ends the wait; then it is as if there was none. */
  policyFor(domain: string, signal: AbortSignal): Promise<DomainPolicy>;
  /** The policy of a host, for one connection. */
  daneFor(mx: MxHost, signal: AbortSignal): Promise<DanePolicy>;
  /** Counts a result for TLS reports. Returns at once. */
  report(result: TlsResult): void;
}
