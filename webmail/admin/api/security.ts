/** Calls for logins, certificates, and the policies of other domains. @module */
import * as v from "valibot";
import { Attempts, confirmation } from "../../account/security_api.ts";
import { Count, Nothing, text, Time } from "../../api/basics.ts";

export const securityCalls = {
  /** Login attempts, and sessions of this page. */
  Attempts: {
    request: Nothing,
    response: v.object({
      attempts: v.array(Attempts),
      sessions: v.array(v.object({
        id: Count,
        created: Time,
        lastUsed: Time,
        remoteIp: v.string(),
        userAgent: v.string(),
        current: v.boolean(),
      })),
      /** Whether the administrator's login has one. */
      secondFactor: v.boolean(),
      recoveryCodes: Count,
    }),
  },
  /** Changes by administrators, newest first. */
  Audit: {
    request: Nothing,
    response: v.object({
      entries: v.array(v.object({
        time: Time,
        who: v.string(),
        from: v.string(),
        action: v.string(),
        /** JSON, without secrets. */
        details: v.string(),
        changes: v.array(v.object({ what: v.string(), before: v.string(), after: v.string() })),
      })),
    }),
  },
  /** Creates a key for the administrator's second factor, not in use yet. */
  AdminSecondFactorBegin: {
    request: Nothing,
    response: v.object({ key: v.string(), uri: v.string(), size: Count, path: v.string() }),
  },
  AdminSecondFactorOn: {
    request: v.strictObject({ key: text(100), code: text(20), ...confirmation }),
    response: v.object({ recoveryCodes: v.array(v.string()) }),
  },
  AdminSecondFactorOff: { request: v.strictObject({ ...confirmation }), response: Nothing },
  /** Ends all sessions of this page except the caller's. */
  AdminSessionsEnd: { request: Nothing, response: Nothing },
  Connections: {
    request: Nothing,
    response: v.object({
      connections: v.array(v.object({
        /** As in the log. */
        cid: v.string(),
        protocol: v.string(),
        port: Count,
        remoteIp: v.string(),
        since: Time,
      })),
      /** By protocol. */
      counts: v.array(v.object({ protocol: v.string(), count: Count })),
    }),
  },
  Certificates: {
    request: Nothing,
    response: v.object({
      certificates: v.array(v.object({
        name: v.string(),
        /** Name of the authority, or a file. */
        from: v.string(),
        /** Null if there is none yet. */
        notAfter: v.nullable(Time),
        /** When it is renewed or tried again; null for files. */
        next: v.nullable(Time),
        failures: Count,
        error: v.string(),
      })),
    }),
  },
  Scanners: {
    request: Nothing,
    response: v.object({
      scanners: v.array(v.object({
        name: v.string(),
        kind: v.string(),
        address: v.string(),
        /** Which mail it checks, in words. */
        uses: v.array(v.string()),
        whenAway: v.picklist(["tempfail", "accept"]),
        /** Since when it has had this state; null if it was not tried yet. */
        since: v.nullable(Time),
        /** Why it is unavailable; empty if it is available. */
        error: v.string(),
      })),
    }),
  },
  StsPolicies: {
    request: Nothing,
    response: v.object({
      policies: v.array(v.object({
        domain: v.string(),
        mode: v.string(),
        fetched: Time,
        expires: Time,
        mx: v.array(v.string()),
      })),
    }),
  },
};
