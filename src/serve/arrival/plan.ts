/** Who gets a message that is under way, and because of which recipient. @module */
import type { Destination, ListAddress, Relay, ResolvedAlias } from "../../config/mod.ts";
import type { Address, Recipient, SmtpError } from "../../smtp/server/mod.ts";
import type { DeliveryFacts } from "../../store/types.ts";

/** An account that gets a message. */
export interface Target {
  account: string;
  destination: Destination;
  /** Set for addresses that other servers send their reports to. */
  reports: "dmarc" | "domainTls" | "hostTls" | undefined;
  /** The address that led here as configured, to tell whether two recipients are the same. */
  canonical: string;
  /** Its account decides about the message, and does not get it. */
  judgeOnly?: true;
}

/** A recipient that another node has taken, or is to get, for as long as the transaction lasts. */
export interface PassedRecipient {
  node: string;
  /** The node is away: the message waits for it in the queue. */
  later?: true;
}

/** What an address leads to. */
export type Route =
  | { target: Target }
  | { alias: ResolvedAlias; members: Target[] }
  /** A mailing list, or one of its other addresses; its judge decides what of it is junk. */
  | { list: ListAddress; judge: Target }
  /** Another server's or program's, by the domain's Relay; its judge decides whether it is passed on. */
  | { relay: Relay; judge: Target }
  /** It is passed on to another node while its sender waits. */
  | { passed: PassedRecipient }
  /** Reports about a forwarded message, for who sent that. */
  | { sender: Address };

/** The sender's address in From, and whether its domain was verified. */
export type Author = Pick<
  DeliveryFacts,
  "msgFromLocalpart" | "msgFromDomain" | "msgFromValidated"
>;

/** A recipient with those who get the message because of it. */
export interface Plan {
  recipient: Recipient;
  /** The alias that it is. */
  alias: ResolvedAlias | undefined;
  /** The mailing list that takes it. */
  list?: ListAddress;
  /** How it goes on to the server that has the recipient. */
  relay?: Relay;
  /** Who gets it elsewhere, as a report about a message that was forwarded for them. */
  sender?: Address;
  /** Empty if all got it by another recipient, or wrote it. */
  targets: Target[];
  /** Members of the alias at other servers. */
  outside?: string[];
  /** The sender may not write to the alias. */
  refusal: SmtpError | undefined;
}
