/** The TLS that a connection needs, and how TLS failures are reported. @module */
import type { Authorities, ClientTls, TlsInfo } from "../../net/mod.ts";
import type { SmtpClientError, TlsUse } from "../../smtp/client/mod.ts";
import { certificateFailure, errorCode } from "../../tlspolicy/tls_errors.ts";
import type {
  DanePolicy,
  DomainPolicy,
  TlsFailureDetail,
  TlsOutcome,
} from "../../tlspolicy/types.ts";

/** The TLS required of a connection. */
export interface TlsDemand {
  /** Sessions begun under the same demand are interchangeable. */
  name: string;
  use: TlsUse;
  clientTls: ClientTls | undefined;
  /** What to try if TLS fails; undefined if this address is given up then. */
  fallback: TlsDemand | undefined;
  /** Why `clientTls.verifyChain` refused the certificates. */
  refusedFor?(): TlsFailureDetail | undefined;
}

/** What is known before the connection is made. */
export interface TlsWishes {
  host: string;
  /** Undefined where policies are waived. */
  policy: DomainPolicy;
  dane: DanePolicy;
  /** REQUIRETLS, or required by an administrator. */
  required: boolean;
  /** Certificate authorities for other servers; the system's if undefined. */
  authorities: Authorities | undefined;
}

const plain: TlsDemand = { name: "plain", use: "never", clientTls: undefined, fallback: undefined };

/** TLS if offered, with any certificate, and plain text if it fails (RFC 7435). */
function opportunistic(host: string): TlsDemand {
  return {
    name: "opportunistic",
    use: "offered",
    clientTls: { serverName: host, verify: false },
    fallback: plain,
  };
}

/** The first demand to try. */
export function tlsDemand(wishes: TlsWishes): TlsDemand {
  const verified: TlsDemand = {
    name: "verified",
    use: "required",
    clientTls: { serverName: wishes.host, verify: true, authorities: wishes.authorities },
    fallback: undefined,
  };
  if (wishes.dane.kind === "verify") {
    const { verify, serverName } = wishes.dane;
    let detail: TlsFailureDetail | undefined;
    // RFC 8461 §2: if there are two policies, both hold; DANE is the stronger one (RFC 7672 §2.2).
    return {
      name: `dane ${serverName}`,
      use: "required",
      clientTls: {
        serverName,
        verify: false,
        authorities: wishes.authorities,
        verifyChain: (c) => (detail = verify(c)) === undefined,
      },
      fallback: undefined,
      refusedFor: () => detail,
    };
  }
  if (wishes.required || wishes.policy.mode === "enforce") return verified;
  if (wishes.dane.kind === "encrypt") {
    return {
      ...opportunistic(wishes.host),
      name: "encrypted",
      use: "required",
      fallback: undefined,
    };
  }
  if (wishes.policy.mode === "testing") {
    return { ...verified, name: "testing", use: "offered", fallback: opportunistic(wishes.host) };
  }
  return opportunistic(wishes.host);
}

/** The failure in the form of a TLS report. */
export function failureDetail(err: SmtpClientError): TlsFailureDetail {
  if (err.phase === "starttls" && err.enhanced === "4.7.4") return stripped;
  const reasonCode = errorCode(err);
  return {
    resultType: certificateFailure(reasonCode) ?? "validation-failure",
    reasonCode,
    information: err.text.slice(0, 200),
  };
}

const stripped: TlsFailureDetail = {
  resultType: "starttls-not-supported",
  reasonCode: "",
  information: "",
};

/** How a session began, or why not. */
export interface TlsTrial {
  policy: DomainPolicy;
  dane: DanePolicy;
  /** The policy does not list the host. */
  mismatch: TlsFailureDetail | undefined;
  /** The session; for one that ended because of TLS, the failure. */
  ended: TlsInfo | undefined | TlsFailureDetail;
  /** The certificate does not match the TLSA records; other policies are not concerned. */
  byDane: boolean;
}

/** The result for each policy (RFC 8460 §4.2). */
export function tlsOutcomes(trial: TlsTrial): TlsOutcome[] {
  const { policy, dane, ended = stripped } = trial;
  const failure = "resultType" in ended ? ended : undefined;
  const outcomes: TlsOutcome[] = [];
  if (dane.kind !== "none") outcomes.push({ policyType: "tlsa", failure });
  if (policy.mode !== "none" && !(failure && trial.byDane)) {
    // With DANE the authorities are not required, but their result is known.
    const untrusted = "untrusted" in ended && ended.untrusted !== undefined
      ? {
        resultType: certificateFailure(ended.untrusted) ?? "certificate-not-trusted",
        reasonCode: ended.untrusted,
        information: "",
      } as const
      : undefined;
    outcomes.push({ policyType: "sts", failure: trial.mismatch ?? failure ?? untrusted });
  }
  if (outcomes.length === 0) outcomes.push({ policyType: "no-policy-found", failure });
  return outcomes;
}
