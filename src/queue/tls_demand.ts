/** What TLS a connection needs, and how failures of TLS are reported. @module */
import type { ClientTls } from "../net/mod.ts";
import type { SmtpClientError, TlsUse } from "../smtp/client/mod.ts";
import type {
  DanePolicy,
  DomainPolicy,
  TlsFailureDetail,
  TlsPolicyType,
  TlsResultType,
} from "../tlspolicy/types.ts";

/** What is demanded of a connection. */
export interface TlsDemand {
  /** Sessions begun under the same demand can be used for each other. */
  name: string;
  use: TlsUse;
  clientTls: ClientTls | undefined;
  /** What to try if TLS fails; undefined if that is the end with this address. */
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
  /** REQUIRETLS, or an administrator's word. */
  required: boolean;
  /** Certificate authorities, PEM; undefined for the system's. */
  ca: string[] | undefined;
}

const plain: TlsDemand = { name: "plain", use: "never", clientTls: undefined, fallback: undefined };

/** TLS where it is offered, with any certificate, and plain text if it fails (RFC 7435). */
function opportunistic(host: string): TlsDemand {
  return {
    name: "opportunistic",
    use: "offered",
    clientTls: { serverName: host, verify: false },
    fallback: plain,
  };
}

/** The first demand to try. */
export function tlsDemand(w: TlsWishes): TlsDemand {
  const verified: TlsDemand = {
    name: "verified",
    use: "required",
    clientTls: { serverName: w.host, verify: true, ca: w.ca },
    fallback: undefined,
  };
  if (w.dane.kind === "verify") {
    const { verify, serverName } = w.dane;
    let detail: TlsFailureDetail | undefined;
    // RFC 8461 §2: both policies hold where both are there; DANE is the stronger one (RFC 7672 §2.2).
    return {
      name: `dane ${serverName}`,
      use: "required",
      clientTls: {
        serverName,
        verify: false,
        verifyChain: (c) => (detail = verify(c)) === undefined,
      },
      fallback: undefined,
      refusedFor: () => detail,
    };
  }
  if (w.required || w.policy.mode === "enforce") return verified;
  if (w.dane.kind === "encrypt") {
    return { ...opportunistic(w.host), name: "encrypted", use: "required", fallback: undefined };
  }
  if (w.policy.mode === "testing") {
    return { ...verified, name: "testing", use: "offered", fallback: opportunistic(w.host) };
  }
  return opportunistic(w.host);
}

/** Codes of the runtime's errors, as results of RFC 8460 §4.3. */
const byCode: Record<string, TlsResultType> = {
  CERT_HAS_EXPIRED: "certificate-expired",
  CERT_NOT_YET_VALID: "certificate-expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate-host-mismatch",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate-not-trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate-not-trusted",
  UNABLE_TO_GET_ISSUER_CERT: "certificate-not-trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate-not-trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate-not-trusted",
};

/** The failure as a TLS report has it. */
export function failureDetail(err: SmtpClientError): TlsFailureDetail {
  if (err.phase === "starttls" && err.enhanced === "4.7.4") {
    return { resultType: "starttls-not-supported", reasonCode: "", information: "" };
  }
  let code = "";
  let cause: unknown = err;
  for (let depth = 0; cause instanceof Error && depth < 5; depth++) {
    const c = (cause as Error & { code?: unknown }).code;
    if (typeof c === "string") code = c;
    cause = cause.cause;
  }
  return {
    resultType: byCode[code] ?? "validation-failure",
    reasonCode: code,
    information: err.text.slice(0, 200),
  };
}

/** The same failure, for each policy that wanted what failed. */
export function policyFailures(
  w: Pick<TlsWishes, "policy" | "dane">,
  failure: TlsFailureDetail,
): { policyType: TlsPolicyType; failure: TlsFailureDetail }[] {
  const types: TlsPolicyType[] = [];
  if (w.dane.kind !== "none") types.push("tlsa");
  if (w.policy.mode !== "none") types.push("sts");
  if (types.length === 0) types.push("no-policy-found");
  return types.map((policyType) => ({ policyType, failure }));
}
