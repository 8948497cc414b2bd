/** Which ruleset of an address would match a pasted message. @module */
import type { Destination } from "../../../webmail/account/api.ts";
import { matchingRuleset } from "../../delivery/analysis_rulesets.ts";
import { parseAddressList } from "../../mail/address/address.ts";
import { splitHeader } from "../../mail/header/header.ts";
import type { DeliveryFacts } from "../../store/types.ts";
import { checkedDestination } from "./settings.ts";

/**
 * The first matching rule; -1 for none. The envelope sender is taken from Return-Path, and the sender's
 * domain counts as verified: the results on arrival aren't known here.
 */
export function tryRulesets(
  destination: Destination,
  message: string,
): { index: number; mailbox: string } {
  const { Rulesets } = checkedDestination(destination);
  const text = message.replace(/\r?\n/g, "\r\n");
  const end = text.indexOf("\r\n\r\n");
  const header = splitHeader(new TextEncoder().encode(end < 0 ? text : text.slice(0, end + 2)));
  const address = (name: string): { localpart: string; domain: string } => {
    const value = header.find((f) => f.name.toLowerCase() === name)?.value ?? "";
    const first = parseAddressList(value)[0];
    return first !== undefined && "localpart" in first
      ? { localpart: first.localpart, domain: first.domain.toLowerCase() }
      : { localpart: "", domain: "" };
  };
  const from = address("from");
  const mailFrom = address("return-path");
  const facts: DeliveryFacts = {
    remoteIp: "",
    networks: ["", "", ""],
    ehloDomain: "",
    mailFromLocalpart: mailFrom.localpart,
    mailFromDomain: mailFrom.domain,
    rcptToLocalpart: "",
    rcptToDomain: "",
    msgFromLocalpart: from.localpart,
    msgFromDomain: from.domain,
    msgFromOrgDomain: from.domain,
    ehloValidated: false,
    mailFromValidated: mailFrom.domain !== "",
    msgFromValidated: from.domain !== "",
    ehloValidation: "",
    mailFromValidation: "",
    msgFromValidation: "",
    dkimDomains: from.domain === "" ? [] : [from.domain],
    isForward: false,
    isMailingList: false,
    receivedTlsVersion: "",
    receivedRequireTls: false,
  };
  const rulesets = Rulesets.map((value) => ({
    ...value,
    HeadersRegexp: Object.fromEntries(value.HeadersRegexp),
  }));
  const found = matchingRuleset({
    facts,
    headers: header.map((f) => [f.name, f.value] as const),
    destination: { mailbox: destination.Mailbox, rulesets, dmarcReports: false, tlsReports: false },
  });
  return found === undefined
    ? { index: -1, mailbox: destination.Mailbox || "Inbox" }
    : { index: rulesets.indexOf(found as typeof rulesets[number]), mailbox: found.Mailbox };
}
