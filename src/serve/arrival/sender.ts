/**
 * Who sent an incoming message: SPF, DKIM, DMARC, ARC and iprev, and the header fields that
 * record their results.
 *
 * @module
 */
import { deliveryFacts } from "../../delivery/facts.ts";
import type { SignatureResult } from "../../delivery/analysis_types.ts";
import type { Resolver } from "../../dns/mod.ts";
import {
  authenticate,
  authenticationResults,
  formatResults,
  methodResults,
  receivedSpf,
  type SenderAuth,
} from "../../senderauth/mod.ts";
import {
  type Address,
  addressText,
  type SmtpSession,
  type Transaction,
} from "../../smtp/server/mod.ts";
import type { DeliveryFacts } from "../../store/types.ts";
import type { Arrived } from "./arrived.ts";

/** A message's sender as far as it is known. */
export interface Sender {
  /** Undefined where no DNS is asked (localserve). */
  auth: SenderAuth | undefined;
  /** Authentication-Results and Received-SPF. */
  headers: string;
  /** The value of Authentication-Results; "" where nothing was verified. */
  results: string;
  signatures: SignatureResult[];
  factsFor(rcptTo: Address): DeliveryFacts;
}

/** Verifies the sender; without a resolver nothing is looked up or verified. @throws file errors */
export async function checkSender(
  session: SmtpSession,
  transaction: Transaction,
  arrived: Arrived,
  resolver: Resolver | undefined,
  hostname: string,
): Promise<Sender> {
  const { mailFrom } = transaction;
  const envelope = {
    remoteIp: session.remoteIp,
    ehlo: session.hello.name,
    // DNS names are ASCII.
    mailFrom: mailFrom ? addressText(mailFrom, true) : "",
  };
  const auth = resolver && await authenticate({
    ...envelope,
    headerBytes: arrived.header,
    message: arrived.source,
    resolver,
    log: session.log,
    hostname,
    now: new Date(),
  });
  const methods = auth ? methodResults(auth, envelope) : [];
  return {
    auth,
    headers: auth
      ? authenticationResults(hostname, methods) + receivedSpf(auth, { ...envelope, hostname })
      : "",
    results: auth ? formatResults(hostname, methods) : "",
    signatures: (auth?.dkim ?? []).flatMap((outcome) =>
      outcome.domain === undefined ? [] : [{
        domain: outcome.domain,
        pass: outcome.status === "pass",
        partial: outcome.unsignedBodyBytes !== undefined && outcome.unsignedBodyBytes > 0,
        // RFC 8460 §3 leaves it to us whether to require keys of the service type tlsrpt; few have it.
        tlsrptAllowed: true,
      }]
    ),
    factsFor: (rcptTo) =>
      deliveryFacts(
        {
          remoteIp: session.remoteIp,
          ehlo: session.hello.name,
          mailFrom,
          rcptTo: { localpart: rcptTo.localpart, domain: rcptTo.domain ?? "" },
          tlsVersion: session.tls?.version ?? "",
          requireTls: transaction.requireTls,
        },
        arrived.description,
        auth,
      ),
  };
}
