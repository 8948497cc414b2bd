/**
 * A sender's reputation from the account's own history: whether messages like this one were junk.
 *
 * Properties of the message are checked from narrow to wide: the From address, messages the user sent to it,
 * its domain, its organizational domain, the identities that passed DKIM and SPF, the IP address and its
 * networks. The first property with history decides, even if inconclusively; wider ones are then not checked.
 * Only messages count that the user (or a mailbox's automatic flags) marked as junk or not junk, and that were
 * intended for the same mailbox, because each mailbox may get different mail. A message in a Rejects mailbox
 * does not count; moved out of it, it counts as if it had been delivered to the mailbox that it was intended
 * for.
 *
 * The idea: senders of good mail keep getting through, even if one message was marked as junk by mistake;
 * spammers use new addresses, so for them the answer is often "inconclusive", and the content decides.
 *
 * @module
 */
import type { MailboxId } from "../store/ids.ts";
import type { History, HistoryMessage } from "../store/messages/history.ts";
import type { DeliveryFacts } from "../store/types.ts";

const day = 24 * 3600 * 1000;
const year = 365 * day;

/** The property of a message that had history. */
export type ReputationMethod =
  | "msgfromfull"
  | "msgtofull"
  | "msgfromdomain"
  | "msgtodomain"
  | "msgfromorgdomain"
  | "msgtoorgdomain"
  | "dkimspf"
  | "ip1"
  | "ip2"
  | "ip3"
  | "none";

/** The result from the history. */
export interface Reputation {
  /** Undefined: mixed signals, or no history. */
  junk: boolean | undefined;
  /** Whether a decision may be based on it alone. Then junk is set. */
  conclusive: boolean;
  method: ReputationMethod;
  /** Explanation for people. */
  text: string;
}

/** The facts that reputation uses. Empty texts are properties that the message lacks. */
export type ReputationFacts = Pick<
  DeliveryFacts,
  | "networks"
  | "ehloDomain"
  | "ehloValidated"
  | "mailFromLocalpart"
  | "mailFromDomain"
  | "mailFromValidated"
  | "msgFromLocalpart"
  | "msgFromDomain"
  | "msgFromOrgDomain"
  | "msgFromValidated"
  | "dkimDomains"
>;

/**
 * Reputation of a message for a mailbox. `mailboxId` 0 means a mailbox that doesn't exist yet: then only
 * messages that the user sent count as history.
 */
export function reputation(
  history: History,
  facts: ReputationFacts,
  mailboxId: MailboxId,
  now: number,
): Reputation {
  return fromAddress(history, facts, mailboxId, now) ??
    fromDomain(history, facts, mailboxId, now, false) ??
    fromDomain(history, facts, mailboxId, now, true) ??
    identities(history, facts, mailboxId, now) ??
    networks(history, facts, mailboxId, now) ??
    { junk: undefined, conclusive: false, method: "none", text: "no history of this sender" };
}

/** True if the newest message was junk, and also the one before it if there is one. */
function newestJunk(messages: readonly HistoryMessage[]): boolean {
  return messages[0].junk && (messages.length === 1 || messages[1].junk);
}

function junkShare(messages: readonly HistoryMessage[]): number {
  let junk = 0;
  for (const m of messages) if (m.junk) junk++;
  return junk / messages.length;
}

/** The full From address: 3 years, the newest two messages; then whether the user wrote to it. */
function fromAddress(
  history: History,
  facts: ReputationFacts,
  mailboxId: MailboxId,
  now: number,
): Reputation | undefined {
  if (facts.msgFromDomain === "") return undefined;
  const address = {
    mailboxId,
    since: now - 3 * year,
    limit: 2,
    msgFromLocalpart: facts.msgFromLocalpart,
    msgFromDomain: facts.msgFromDomain,
  };
  const same = history.messages({ ...address, msgFromValidated: facts.msgFromValidated });
  if (same.length > 0) {
    const junk = newestJunk(same);
    // Without verification anyone can write this address.
    const how = facts.msgFromValidated ? "verified" : "unverified";
    return {
      junk,
      conclusive: facts.msgFromValidated,
      method: "msgfromfull",
      text: `newest messages with this ${how} from address were ${junk ? "" : "not "}junk`,
    };
  }
  if (!facts.msgFromValidated) {
    // It used to be verified and now is not: probably a forgery. The forged sender may also be a spammer.
    const verified = history.messages({ ...address, msgFromValidated: true });
    if (verified.length > 0) {
      return {
        junk: true,
        conclusive: newestJunk(verified),
        method: "msgfromfull",
        text: "earlier messages with this from address were verified, this one is not",
      };
    }
  }
  if (
    history.sentTo(
      { localpart: facts.msgFromLocalpart, domain: facts.msgFromDomain },
      now - 3 * year,
    )
  ) {
    return {
      junk: false,
      conclusive: true,
      method: "msgtofull",
      text: "user has sent a message to this from address",
    };
  }
  return undefined;
}

/** The domain, or organizational domain, of the From address: 2 years, the newest 20 messages. */
function fromDomain(
  history: History,
  facts: ReputationFacts,
  mailboxId: MailboxId,
  now: number,
  org: boolean,
): Reputation | undefined {
  const value = org ? facts.msgFromOrgDomain : facts.msgFromDomain;
  if (facts.msgFromDomain === "" || value === "") return undefined;
  const method = org ? "msgfromorgdomain" : "msgfromdomain";
  const what = org ? "organizational domain" : "domain";
  const since = now - 2 * year;
  const domain = {
    mailboxId,
    since,
    ...(org ? { msgFromOrgDomain: value } : { msgFromDomain: value }),
  };
  const same = history.messages({ ...domain, msgFromValidated: facts.msgFromValidated, limit: 20 });
  if (same.length > 0) {
    const share = junkShare(same);
    if (share < 0.2) {
      return { junk: false, conclusive: true, method, text: `mostly good mail from this ${what}` };
    }
    if (share === 1) {
      // A domain may be shared: it is only conclusive if junk came from several addresses.
      const conclusive = new Set(same.map((h) => h.msgFromLocalpart)).size >= 3;
      return { junk: true, conclusive, method, text: `only junk from this ${what}` };
    }
    return {
      junk: undefined,
      conclusive: false,
      method,
      text: `junk and good mail from this ${what}`,
    };
  }
  if (!facts.msgFromValidated) {
    const verified = history.messages({ ...domain, msgFromValidated: true, limit: 2 });
    if (verified.length > 0) {
      return {
        junk: true,
        conclusive: newestJunk(verified),
        method,
        text: `earlier messages from this ${what} were verified, this one is not`,
      };
    }
  }
  if (history.sentTo(org ? { orgDomain: value } : { domain: value }, since)) {
    return {
      junk: false,
      conclusive: true,
      method: org ? "msgtoorgdomain" : "msgtodomain",
      text: `user has sent a message to this ${what}`,
    };
  }
  return undefined;
}

/** Identities that passed DKIM or SPF: half a year, the newest 50 messages each. */
function identities(
  history: History,
  facts: ReputationFacts,
  mailboxId: MailboxId,
  now: number,
): Reputation | undefined {
  const base = { mailboxId, since: now - year / 2, limit: 50 };
  const found: HistoryMessage[][] = [];
  for (const dkimDomain of facts.dkimDomains.slice(0, 20)) {
    found.push(history.messages({ ...base, dkimDomain }));
  }
  let spf: HistoryMessage[] = [];
  if (facts.mailFromValidated && facts.mailFromDomain !== "") {
    const { mailFromLocalpart, mailFromDomain } = facts;
    spf = history.messages({ ...base, mailFromLocalpart, mailFromDomain });
    if (spf.length === 0) spf = history.messages({ ...base, mailFromDomain });
  }
  if (spf.length === 0 && facts.ehloValidated && facts.ehloDomain !== "") {
    spf = history.messages({ ...base, ehloDomain: facts.ehloDomain });
  }
  found.push(spf);
  let ham = 0, spam = 0, most = 0;
  for (const messages of found) {
    if (messages.length === 0) continue;
    most = Math.max(most, messages.length);
    const share = junkShare(messages);
    if (share < 0.1) ham++;
    else if (share > 0.9) spam++;
  }
  if (most === 0) return undefined;
  const method = "dkimspf";
  if (ham > 0 && spam === 0) {
    return {
      junk: false,
      conclusive: true,
      method,
      text: "good mail with the same dkim or spf identity",
    };
  }
  if (spam > 0 && ham === 0) {
    return {
      junk: true,
      conclusive: most > 1,
      method,
      text: "junk with the same dkim or spf identity",
    };
  }
  return {
    junk: undefined,
    conclusive: false,
    method,
    text: "junk and good mail with the same dkim or spf identity",
  };
}

/** The IP address, then its networks: a quarter of a year, 50 messages; wider networks need more of them. */
function networks(
  history: History,
  facts: ReputationFacts,
  mailboxId: MailboxId,
  now: number,
): Reputation | undefined {
  const needed = [2, 5, 10];
  for (const index of [0, 1, 2] as const) {
    if (facts.networks[index] === "") continue;
    const messages = history.messages({
      mailboxId,
      since: now - year / 4,
      limit: 50,
      network: { index, networks: facts.networks },
    });
    if (messages.length === 0) continue;
    const share = junkShare(messages);
    return {
      junk: share < 0.25 ? false : share > 0.75 ? true : undefined,
      conclusive: messages.length >= needed[index] && (share <= 0.1 || share >= 0.9),
      method: (["ip1", "ip2", "ip3"] as const)[index],
      text: `${Math.round(100 * share)}% junk of ${messages.length} messages from the same ${
        ["ip", "network", "wider network"][index]
      }`,
    };
  }
  return undefined;
}
