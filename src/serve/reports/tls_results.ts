/** What happened with TLS to other servers, counted for reports (RFC 8460 §4). @module */
import {
  reportDay,
  type TlsFailure,
  type TlsPolicyResult,
  type TlsResults,
} from "../../reports/mod.ts";
import type { TlsFailureDetail, TlsPolicyType, TlsResult } from "../../tlspolicy/types.ts";

/** Adds a connection's result to those of its day. */
export function recordTlsResult(results: TlsResults, r: TlsResult, now: number): void {
  if (r.recipientDomain === "") return;
  const day = reportDay(now);
  const about = { day, recipientDomain: r.recipientDomain, wanted: !r.isReport };
  const own: TlsPolicyType = r.policy.mode === "none" ? "no-policy-found" : "sts";
  const details = r.failures.filter((f) => f.policyType !== "tlsa").map((f) => f.failure);
  // A policy that could not be had is a failure of MTA-STS, however the connection went.
  const fetching = r.policy.failure;
  results.add({
    ...about,
    policyDomain: r.recipientDomain,
    isHost: false,
    results: [
      policyResult(r, own, r.recipientDomain, r.policy.policyString, [...r.policy.mx], details),
      ...(fetching ? [policyResult(r, "sts", r.recipientDomain, [], [], [fetching])] : []),
    ],
  });
  if (r.dane.kind === "none") return;
  // RFC 8460 §2: the policy domain of DANE is the TLSA base domain, which is the host's.
  const strings = "policyString" in r.dane ? r.dane.policyString : [];
  results.add({
    ...about,
    policyDomain: r.mxHost,
    isHost: true,
    results: [
      policyResult(
        r,
        "tlsa",
        r.mxHost,
        strings,
        [r.mxHost],
        r.failures.filter((f) => f.policyType === "tlsa").map((f) => f.failure),
      ),
    ],
  });
}

function policyResult(
  r: TlsResult,
  policyType: TlsPolicyType,
  policyDomain: string,
  policyString: readonly string[],
  mxHost: string[],
  failures: readonly TlsFailureDetail[],
): TlsPolicyResult {
  return {
    policyType,
    policyString: [...policyString],
    policyDomain,
    mxHost,
    totalSuccessfulSessionCount: failures.length === 0 ? 1 : 0,
    totalFailureSessionCount: failures.length === 0 ? 0 : 1,
    failures: failures.map((f): TlsFailure => ({
      resultType: f.resultType,
      sendingMtaIp: r.localIp,
      receivingMxHostname: r.mxHost,
      receivingMxHelo: r.remoteHelo,
      receivingIp: r.remoteIp,
      failedSessionCount: 1,
      additionalInformation: f.information,
      failureReasonCode: f.reasonCode,
    })),
  };
}
