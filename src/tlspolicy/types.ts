/**
 * TLS policies for deliveries: input before connecting, and results afterwards.
 *
 * The queue asks {@link TlsPolicy.policyFor} once for a recipient domain, {@link TlsPolicy.daneFor} for
 * each host that it is about to connect to, and reports how TLS went with each connection. It decides
 * itself about fallback to plain text: that is only allowed where nothing here (and no REQUIRETLS)
 * demands TLS.
 *
 * @module
 */

/** The kind of policy a result is about (RFC 8460 §4.2). */
export type TlsPolicyType = "tlsa" | "sts" | "no-policy-found";

/** The kind of failure, by RFC 8460 §4.3. */
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

/** A TLS failure, in the form for reports. */
export interface TlsFailureDetail {
  resultType: TlsResultType;
  /** A short name of the error, such as "CERT_HAS_EXPIRED"; "" if there is none. */
  reasonCode: string;
  /** A message for display; "" if there is none. */
  information: string;
}

/** A recipient domain's requirements by MTA-STS (RFC 8461). */
export interface DomainPolicy {
  /**
   * - `none`: no policy, or one of mode none: opportunistic TLS.
   * - `testing`: as `none`, but what enforcing would have refused is reported.
   * - `enforce`: only hosts that match, only with TLS and a certificate that verifies.
   */
  mode: "none" | "testing" | "enforce";
  /** The policy's domain, in ASCII. */
  domain: string;
  /** Patterns of its hosts, such as "*.example.com". */
  mx: readonly string[];
  /** Lines of the policy, for reports. Empty if there is none. */
  policyString: readonly string[];
  /** Whether the policy names this host (ASCII, lower case). True if there is no policy. */
  matches(mxHost: string): boolean;
  /** Fetching the policy failed, so this is an older one or none: goes into reports. */
  failure?: TlsFailureDetail;
}

/** A target host of a delivery. */
export interface MxHost {
  /** In ASCII and lower case, from the MX record (or the domain itself). */
  host: string;
  port: number;
  /**
   * Names at which TLSA records are looked for, the first with records counts (RFC 7672 §2.1.3). Empty
   * where DNSSEC does not vouch for the way to the host: the MX records of the domain, or their absence, and
   * the host's own. Without that there is no DANE (RFC 7672 §2.2.1).
   */
  names: readonly string[];
  /** The recipient domain, and targets of its CNAME records: also valid names in certificates. */
  domains: readonly string[];
}

/** A host's requirements by DANE (RFC 7672). */
export type DanePolicy =
  /** No TLSA records, or none that are authenticated. */
  | { kind: "none" }
  /** The TLSA lookup failed although required: the host must not be used now (RFC 7672 §2.1). */
  | { kind: "unavailable"; failure: TlsFailureDetail }
  /** There are TLSA records, but no usable one: TLS is required, with any certificate (§2.2). */
  | { kind: "encrypt"; policyString: readonly string[] }
  /** TLS is required, with a certificate that matches the records. */
  | {
    kind: "verify";
    /** The TLSA base domain: the name for SNI. */
    serverName: string;
    policyString: readonly string[];
    /** Checks the peer's certificates (DER, leaf first); undefined if they are valid. */
    verify(chain: readonly Uint8Array[]): TlsFailureDetail | undefined;
  };

/** The result of a policy for one connection. */
export interface TlsOutcome {
  /** "no-policy-found" if there is none: then any TLS is a success. */
  policyType: TlsPolicyType;
  /** Undefined if the policy was satisfied. */
  failure: TlsFailureDetail | undefined;
}

/** TLS result of one connection. */
export interface TlsResult {
  /** Domain of the recipients, in ASCII; "" if a transport named the host. */
  recipientDomain: string;
  policy: DomainPolicy;
  mxHost: string;
  dane: DanePolicy;
  localIp: string;
  /** "" if no connection was made. */
  remoteIp: string;
  /** The host's name in its greeting; "" if unknown. */
  remoteHelo: string;
  /** The result of each evaluated policy. */
  outcomes: readonly TlsOutcome[];
  /** The message is a report or notification of this host: no reason for a report by itself. */
  isReport: boolean;
}

/** The policies of other servers. Methods don't fail: their results include lookup failures. */
export interface TlsPolicy {
  /** The policy of a recipient domain (ASCII). `signal` ends the wait; then it is as if there were none. */
  policyFor(domain: string, signal: AbortSignal): Promise<DomainPolicy>;
  /** The policy of a host, for one connection. */
  daneFor(mx: MxHost, signal: AbortSignal): Promise<DanePolicy>;
  /** Counts a result for TLS reports. Returns immediately. */
  report(result: TlsResult): void;
}
