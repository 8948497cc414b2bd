/**
 * Submission in localserve: what programs send is caught unchanged, like mail from outside. Only messages to be
 * sent later, or that ask for a fault in the queue, go through the queue.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { type SaslBackend, SaslError } from "../../sasl/mod.ts";
import { type SmtpBackend, SmtpError } from "../../smtp/server/mod.ts";
import { loginAccount } from "../logins.ts";

/** Any name and password log in. */
export function anyLogin(): SaslBackend {
  return {
    checkPassword: () => Promise.resolve("any password"),
    scramCredentials: () => Promise.reject(new SaslError("unavailable", "not offered here")),
    cramMd5Credentials: () =>
      Promise.resolve({
        inner: new Uint8Array(16),
        outer: new Uint8Array(16),
        anyDigest: true,
        credential: "any password",
      }),
  };
}

/**
 * Mechanisms that work with any password. In SCRAM the server proves to the client that it knows the
 * password (RFC 5802 §3), so it can't accept any.
 */
export const anyLoginMechanisms = ["PLAIN", "LOGIN", "CRAM-MD5"] as const;

/**
 * Catches what is submitted.
 * @param receiving backend for mail from outside
 * @param queueing backend that queues a logged-in user's mail
 */
export function catchingSubmission(
  config: Config,
  receiving: SmtpBackend,
  queueing: SmtpBackend,
  sasl: SaslBackend,
): SmtpBackend {
  return {
    ...receiving,
    sasl,
    async deliver(session, transaction, message) {
      const later = transaction.holdUntil !== undefined ||
        transaction.recipients.some((r) => r.address.localpart.toLowerCase().startsWith("queue"));
      if (!later) return await receiving.deliver(session, transaction, message);
      if (session.username === undefined || loginAccount(config, session.username) === undefined) {
        throw new SmtpError(530, "7.0", "log in as the account of localserve to use the queue");
      }
      return await queueing.deliver(session, transaction, message);
    },
  };
}
