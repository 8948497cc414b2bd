/** Calls for DMARC and TLS reports, both received ones and those to send. @module */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "../../api/basics.ts";

const Name = v.pipe(text(500), v.minLength(1));
const period = v.strictObject({
  /** Number of days up to now. */
  days: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366)),
  /** "" for all domains. */
  domain: text(500),
});

/** A day in UTC: passes and failures. */
export const Day = v.object({ day: Time, pass: Count, fail: Count });
export type Day = v.InferOutput<typeof Day>;

export const DmarcDetail = v.object({
  organization: v.string(),
  email: v.string(),
  reportId: v.string(),
  begin: Time,
  end: Time,
  domain: v.string(),
  policy: v.string(),
  errors: v.array(v.string()),
  records: v.array(v.object({
    sourceIp: v.string(),
    count: Count,
    disposition: v.string(),
    dkim: v.string(),
    spf: v.string(),
    headerFrom: v.string(),
    envelopeFrom: v.string(),
    envelopeTo: v.string(),
    reasons: v.array(v.string()),
    /** For example "pass example.org (selector)". */
    dkimResults: v.array(v.string()),
    spfResults: v.array(v.string()),
  })),
});
export type DmarcDetail = v.InferOutput<typeof DmarcDetail>;

/** A message that failed at another server; texts missing from the report are "". */
const DmarcFailure = v.object({
  id: Id,
  received: Time,
  /** Domain of the reporting server. */
  reporter: v.string(),
  /** What failed: "dmarc", "dkim", "spf", "bodyhash", "signature". */
  kind: v.string(),
  domain: v.string(),
  sourceIp: v.string(),
  /** "delivered", "spam", "policy", "reject", "other". */
  delivery: v.string(),
  dkimDomain: v.string(),
  dkimSelector: v.string(),
  spfDns: v.string(),
  /** When it arrived there; 0 if unknown. */
  arrival: Time,
  incidents: Count,
  mailFrom: v.string(),
  recipients: v.array(v.string()),
  from: v.string(),
  subject: v.string(),
  messageId: v.string(),
});
export type DmarcFailure = v.InferOutput<typeof DmarcFailure>;

const policy = v.object({
  type: v.string(),
  domain: v.string(),
  lines: v.array(v.string()),
  mx: v.array(v.string()),
  success: Count,
  failure: Count,
  failures: v.array(v.object({
    type: v.string(),
    count: Count,
    host: v.string(),
    sendingIp: v.string(),
    receivingIp: v.string(),
    text: v.string(),
  })),
});
export type TlsPolicy = v.InferOutput<typeof policy>;

export const TlsDetail = v.object({
  organization: v.string(),
  contact: v.string(),
  reportId: v.string(),
  domain: v.string(),
  begin: Time,
  end: Time,
  policies: v.array(policy),
});
export type TlsDetail = v.InferOutput<typeof TlsDetail>;

/** Reports sent since the server started, by outcome. */
const sent = v.object({ sent: Count, unwanted: Count, error: Count });

export const reportCalls = {
  DmarcReports: {
    request: period,
    response: v.object({
      domains: v.array(v.object({
        domain: v.string(),
        total: Count,
        dispositionNone: Count,
        quarantine: Count,
        reject: Count,
        dkimFail: Count,
        spfFail: Count,
        /** Neither passed, which is what DMARC is about. */
        bothFail: Count,
      })),
      days: v.array(Day),
      reports: v.array(v.object({
        id: Id,
        organization: v.string(),
        domain: v.string(),
        begin: Time,
        end: Time,
        total: Count,
        fail: Count,
      })),
      /** Servers with the most failed messages. */
      sources: v.array(v.object({
        ip: v.string(),
        domain: v.string(),
        total: Count,
        fail: Count,
      })),
    }),
  },
  DmarcReport: { request: v.strictObject({ id: Id }), response: DmarcDetail },
  /** Single messages reported by others (RFC 6591), the newest 500. */
  DmarcFailures: { request: period, response: v.object({ failures: v.array(DmarcFailure) }) },
  /** What will be reported to other domains. */
  DmarcToSend: {
    request: Nothing,
    response: v.object({
      enabled: v.boolean(),
      sent,
      domains: v.array(v.object({
        domain: v.string(),
        count: Count,
        wanted: v.boolean(),
        intervalHours: Count,
      })),
      suppressed: v.array(v.object({ address: v.string(), until: Time, comment: v.string() })),
    }),
  },
  DmarcEvaluations: {
    request: v.strictObject({ domain: Name }),
    response: v.object({
      addresses: v.array(v.string()),
      evaluations: v.array(v.object({
        time: Time,
        optional: v.boolean(),
        sourceIp: v.string(),
        disposition: v.string(),
        dkim: v.boolean(),
        spf: v.boolean(),
        headerFrom: v.string(),
        envelopeFrom: v.string(),
        envelopeTo: v.string(),
      })),
    }),
  },
  DmarcEvaluationsRemove: { request: v.strictObject({ domain: Name }), response: Nothing },
  /** Sends no reports to an address for a number of days; 0 allows them again. */
  DmarcSuppress: {
    request: v.strictObject({
      address: Name,
      days: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3660)),
      comment: text(500),
    }),
    response: Nothing,
  },
  TlsReports: {
    request: period,
    response: v.object({
      days: v.array(Day),
      reports: v.array(v.object({
        id: Id,
        organization: v.string(),
        domain: v.string(),
        hostReport: v.boolean(),
        begin: Time,
        end: Time,
        success: Count,
        failure: Count,
      })),
      /** Kinds of failures, most frequent first. */
      failures: v.array(v.object({ type: v.string(), count: Count })),
    }),
  },
  TlsReport: { request: v.strictObject({ id: Id }), response: TlsDetail },
  TlsToSend: {
    request: Nothing,
    response: v.object({
      enabled: v.boolean(),
      sent,
      results: v.array(v.object({
        /** YYYYMMDD. */
        day: v.string(),
        policyDomain: v.string(),
        recipientDomain: v.string(),
        isHost: v.boolean(),
        wanted: v.boolean(),
        success: Count,
        failure: Count,
        policies: v.array(policy),
      })),
    }),
  },
  TlsResultsRemove: {
    request: v.strictObject({
      day: v.pipe(v.string(), v.regex(/^\d{8}$/)),
      policyDomain: Name,
      isHost: v.boolean(),
    }),
    response: Nothing,
  },
};
