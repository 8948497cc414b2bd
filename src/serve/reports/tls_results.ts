/** What happened with TLS to other servers, counted for reports (RFC 8460 §4). @module */
import {
  reportDay,
  type TlsFailure,
  type TlsPolicyResult,
  type TlsResults,
} from "../../reports/mod.ts";
import type { TlsOutcome, TlsResult } from "../../tlspolicy/types.ts";

/** Adds a connection's result to those of its day. */
export function recordTlsResult(results: TlsResults, r: TlsResult, now: number): void {
  if (r.recipientDomain === "") return;
  const about = {
    day: reportDay(now),
    recipientDomain: r.recipientDomain,
    wanted: !r.isReport,
  };
  const counted = r.outcomes.map((o) => policyResult(r, o));
  // A policy that could not be had is a failure of MTA-STS, however the connection went.
  if (r.policy.failure) {
    counted.push({
      ...policyResult(r, { policyType: "sts", failure: r.policy.failure }),
      policyString: [],
      mxHost: [],
    });
  }
  results.add({ ...about, policyDomain: r.recipientDomain, isHost: false, results: counted });
  // Records of DANE are often another's, such as those of the company that runs the mail servers.
  for (const p of counted) {
    if (p.policyType !== "tlsa") continue;
    results.add({ ...about, policyDomain: p.policyDomain, isHost: true, results: [p] });
  }
}

function policyResult(r: TlsResult, o: TlsOutcome): TlsPolicyResult {
  const { policy, dane } = r;
  const { policyType, failure } = o;
  const of = policyType === "tlsa"
    ? {
      // RFC 8460 §2: the policy domain of DANE is the TLSA base domain.
      policyDomain: dane.kind === "verify" ? dane.serverName : r.mxHost,
      policyString: "policyString" in dane ? [...dane.policyString] : [],
      mxHost: [r.mxHost],
    }
    : {
      policyDomain: r.recipientDomain,
      policyString: [...policy.policyString],
      mxHost: [...policy.mx],
    };
  const failures: TlsFailure[] = failure === undefined ? [] : [{
    resultType: failure.resultType,
    sendingMtaIp: r.localIp,
    receivingMxHostname: r.mxHost,
    receivingMxHelo: r.remoteHelo,
    receivingIp: r.remoteIp,
    failedSessionCount: 1,
    additionalInformation: failure.information,
    failureReasonCode: failure.reasonCode,
  }];
  return {
    policyType,
    ...of,
    totalSuccessfulSessionCount: failures.length === 0 ? 1 : 0,
    totalFailureSessionCount: failures.length,
    failures,
  };
}
