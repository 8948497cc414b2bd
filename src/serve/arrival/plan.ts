/** Who gets a message in transit, and because of which recipient. @module */
import type { Destination, ListAddress, Relay, ResolvedAlias } from "../../config/mod.ts";
import type { Address, Recipient, SmtpError } from "../../smtp/server/mod.ts";
import type { DeliveryFacts } from "../../store/types.ts";

/** An account that gets a message. */
export interface Target {
  account: string;
  destination: Destination;
  /** Set for addresses that receive reports from other servers. */
  reports: "dmarc" | "domainTls" | "hostTls" | undefined;
  /** The address that led here as configured, to recognise recipients that are the same. */
  canonical: string;
  /** Its account judges the message, and does not get it. */
  judgeOnly?: true;
}

/** A recipient that another node has accepted, or will get, for the duration of the transaction. */
export interface PassedRecipient {
  node: string;
  /** The node is away: the message waits for it in the queue. */
  later?: true;
}

/** What an address resolves to. */
export type Route =
  | { target: Target }
  | { alias: ResolvedAlias; members: Target[] }
  /** A mailing list, or one of its other addresses; its judge decides which messages are junk. */
  | { list: ListAddress; judge: Target }
  /** On another server or program, by the domain's Relay; its judge decides whether it is passed on. */
  | { relay: Relay; judge: Target }
  /** It is passed on to another node while its sender waits. */
  | { passed: PassedRecipient }
  /** Reports about a forwarded message, for its original sender. */
  | { sender: Address };

/** The sender's address in From, and whether its domain was verified. */
export type Author = Pick<
  DeliveryFacts,
  "msgFromLocalpart" | "msgFromDomain" | "msgFromValidated"
>;

/** A recipient with the accounts that get the message because of it. */
export interface Plan {
  recipient: Recipient;
  /** The alias that it is. */
  alias: ResolvedAlias | undefined;
  /** The mailing list that takes it. */
  list?: ListAddress;
  /** How it is passed on to the server that has the recipient. */
  relay?: Relay;
  /** Outside senders who get it as a report about their message, which was forwarded from here. */
  sender?: Address;
  /** Empty if all of them get it by another recipient, or wrote it. */
  targets: Target[];
  /** Members of the alias at other servers. */
  outside?: string[];
  /** The sender may not write to the alias. */
  refusal: SmtpError | undefined;
}
