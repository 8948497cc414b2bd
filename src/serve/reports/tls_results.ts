/** TLS results with other servers, counted for reports (RFC 8460 §4). @module */
import {
  reportDay,
  type TlsFailure,
  type TlsPolicyResult,
  type TlsResults,
} from "../../reports/mod.ts";
import type { TlsOutcome, TlsResult } from "../../tlspolicy/types.ts";

/** Adds a connection's result to its day. */
export function recordTlsResult(results: TlsResults, result: TlsResult, now: number): void {
  if (result.recipientDomain === "") return;
  const about = {
    day: reportDay(now),
    recipientDomain: result.recipientDomain,
    wanted: !result.isReport,
  };
  const counted = result.outcomes.map((o) => policyResult(result, o));
  // A policy that could not be fetched is a failure of MTA-STS, however the connection went.
  if (result.policy.failure) {
    counted.push({
      ...policyResult(result, { policyType: "sts", failure: result.policy.failure }),
      policyString: [],
      mxHost: [],
    });
  }
  results.add({ ...about, policyDomain: result.recipientDomain, isHost: false, results: counted });
  // DANE records often belong to someone else, such as the company that runs the mail servers.
  for (const p of counted) {
    if (p.policyType !== "tlsa") continue;
    results.add({ ...about, policyDomain: p.policyDomain, isHost: true, results: [p] });
  }
}

function policyResult(result: TlsResult, outcome: TlsOutcome): TlsPolicyResult {
  const { policy, dane } = result;
  const { policyType, failure } = outcome;
  const of = policyType === "tlsa"
    ? {
      // RFC 8460 §2: the policy domain of DANE is the TLSA base domain.
      policyDomain: dane.kind === "verify" ? dane.serverName : result.mxHost,
      policyString: "policyString" in dane ? [...dane.policyString] : [],
      mxHost: [result.mxHost],
    }
    : {
      policyDomain: result.recipientDomain,
      policyString: [...policy.policyString],
      mxHost: [...policy.mx],
    };
  const failures: TlsFailure[] = failure === undefined ? [] : [{
    resultType: failure.resultType,
    sendingMtaIp: result.localIp,
    receivingMxHostname: result.mxHost,
    receivingMxHelo: result.remoteHelo,
    receivingIp: result.remoteIp,
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
