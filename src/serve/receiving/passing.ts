/**
 * Recipients with accounts on other nodes: these nodes are asked at RCPT, and get the message at its end, while its
 * sender waits. Their answer for each recipient goes to the sender, so reputation, junk filters and
 * Rejects are those of the account's node.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { NodeAway } from "../../nodes/link.ts";
import {
  type MailLinks,
  type NodeAnswer,
  NodeRefusal,
  PassedTransaction,
} from "../../nodes/pass_on.ts";
import {
  addressText,
  type Delivered,
  type IncomingMessage,
  type Outcome,
  type Recipient,
  type SmtpBackend,
  SmtpError,
  type SmtpSession,
  type Transaction,
} from "../../smtp/server/mod.ts";
import type { Route } from "../arrival/plan.ts";
import { nodeOfAddress } from "./targets.ts";

/** The transactions with other nodes that belong to one of a sender here. */
type Open = Map<string, Promise<PassedTransaction>>;

export interface PassingOptions {
  config: Config;
  links: MailLinks;
  /** Queues a message for recipients whose node is away; durable when it resolves. @throws SmtpError */
  later(
    session: SmtpSession,
    transaction: Transaction,
    message: IncomingMessage,
    recipients: readonly Recipient[],
  ): Promise<void>;
}

export class Passing {
  readonly #o: PassingOptions;
  readonly #open = new WeakMap<SmtpSession, { of: Transaction; nodes: Open }>();

  constructor(options: PassingOptions) {
    this.#o = options;
  }

  /** A backend that accepts mail for this node, and passes the rest on. */
  before(here: SmtpBackend): SmtpBackend {
    return {
      ...here,
      checkMailFrom: async (session, transaction) => {
        await this.#forget(session);
        return await here.checkMailFrom?.(session, transaction);
      },
      checkRecipient: async (session, transaction, recipient): Promise<Route> => {
        const node = nodeOfAddress(this.#o.config, recipient.address);
        if (node === undefined) {
          return await here.checkRecipient(session, transaction, recipient) as Route;
        }
        try {
          await this.#ask(session, transaction, node, recipient);
        } catch (err) {
          if (!(err instanceof NodeAway)) throw asRefusal(err);
          session.log.warn("a node is away", { err });
          if (!this.#o.config.dynamic.Nodes.get(node)?.QueueWhenAway) throw away();
          return { passed: { node, later: true } };
        }
        return { passed: { node } };
      },
      deliver: (session, transaction, message) =>
        this.#deliver(here, session, transaction, message),
      disconnected: async (session) => {
        await this.#forget(session);
        await here.disconnected?.(session);
      },
    };
  }

  async #forget(session: SmtpSession): Promise<void> {
    const open = this.#open.get(session);
    if (open === undefined) return;
    this.#open.delete(session);
    for (const t of open.nodes.values()) await t.then((t) => t.close(), () => {});
  }

  async #ask(
    session: SmtpSession,
    transaction: Transaction,
    node: string,
    recipient: Omit<Recipient, "handle">,
  ): Promise<void> {
    let open = this.#open.get(session);
    if (open === undefined) {
      this.#open.set(session, open = { of: transaction, nodes: new Map() });
    }
    const { nodes } = open;
    let passed = nodes.get(node);
    if (passed === undefined) {
      passed = this.#begin(session, transaction, node);
      nodes.set(node, passed);
      // A connection that breaks later stays: it has recipients, who then get 451.
      passed.catch(() => nodes.delete(node));
    }
    await (await passed).recipient({ ...recipient, address: this.#addressAt(recipient) });
  }

  /** Every host has a postmaster, under its own name. */
  #addressAt({ address }: Omit<Recipient, "handle">): string {
    const { config } = this.#o;
    return config.hostnames.has(address.asciiDomain) &&
        address.localpart.toLowerCase() === "postmaster"
      ? "postmaster"
      : addressText(address);
  }

  async #begin(
    session: SmtpSession,
    transaction: Transaction,
    node: string,
  ): Promise<PassedTransaction> {
    const place = this.#o.config.dynamic.Nodes.get(node)!;
    const { remoteIp, remotePort, localIp, localPort, hello, tls } = session;
    return await PassedTransaction.begin(
      this.#o.links,
      node,
      place,
      { remoteIp, remotePort, localIp, localPort, hello: hello.name, tls },
      {
        mailFrom: transaction.mailFrom === undefined ? "" : addressText(transaction.mailFrom),
        recipients: [],
        size: transaction.declaredSize ?? 0,
        body: transaction.body === "binarymime"
          ? "binary"
          : transaction.body === "8bitmime"
          ? "8bit"
          : "7bit",
        smtpUtf8: transaction.smtpUtf8,
        requireTls: transaction.requireTls,
        ret: transaction.ret,
        envelopeId: transaction.envelopeId,
      },
    );
  }

  async #deliver(
    here: SmtpBackend,
    session: SmtpSession,
    transaction: Transaction,
    message: IncomingMessage,
  ): Promise<Delivered> {
    const nodes = this.#open.get(session)?.nodes ?? new Map() as Open;
    const passedOf = (recipient: Recipient) => {
      const route = recipient.handle as Route;
      return "passed" in route ? route.passed : undefined;
    };
    const nodeOf = (r: Recipient) => passedOf(r)?.node;
    const isLater = (r: Recipient) => passedOf(r)?.later === true;
    const own = transaction.recipients.filter((r) => nodeOf(r) === undefined);
    if (own.length === transaction.recipients.length) {
      return await here.deliver(session, transaction, message);
    }
    const outcomes = new Map<Recipient, Outcome>();
    /** Recipients whose node went away with the message half sent, or before it answered. */
    const unanswered: Recipient[] = [];
    const passOn = async (node: string) => {
      const theirs = transaction.recipients.filter((r) => nodeOf(r) === node && !isLater(r));
      const t = await nodes.get(node);
      const answers = await t?.message(message.file, message.size) ?? [];
      theirs.forEach((r, i) => {
        outcomes.set(r, asOutcome(answers[i]));
        if (answers[i] === undefined || answers[i].away) unanswered.push(r);
      });
      session.log.info("message passed on", {
        node,
        size: message.size,
        answers: answers.map((a) => a.code).join(" "),
      });
    };
    const deliverHere = async () => {
      if (own.length === 0) return;
      let delivered: Delivered;
      try {
        delivered = await here.deliver(session, { ...transaction, recipients: own }, message);
      } catch (err) {
        if (!(err instanceof SmtpError)) throw err;
        // Some of the others may have been accepted already.
        for (const r of own) outcomes.set(r, err);
        return;
      }
      own.forEach((r, i) => outcomes.set(r, delivered.outcomes[i]));
    };
    const queued = transaction.recipients.filter(isLater);
    const queueLater = async (recipients: readonly Recipient[]) => {
      if (recipients.length === 0) return;
      try {
        await this.#o.later(session, transaction, message, recipients);
        for (const r of recipients) outcomes.set(r, undefined);
      } catch (err) {
        if (!(err instanceof SmtpError)) throw err;
        for (const r of recipients) outcomes.set(r, err);
      }
    };
    try {
      const others = new Set(
        transaction.recipients.filter((r) => !isLater(r)).map(nodeOf).filter((n) =>
          n !== undefined
        ),
      );
      await Promise.all([deliverHere(), queueLater(queued), ...[...others].map(passOn)]);
      // The sender gets one answer for all: if some have the message, it won't retry for the others.
      const isTaken = transaction.recipients.some((r) => outcomes.has(r) && !outcomes.get(r));
      if (isTaken) await queueLater(unanswered);
    } finally {
      await this.#forget(session);
    }
    return {
      outcomes: transaction.recipients.map((r) =>
        outcomes.has(r) ? outcomes.get(r) : asOutcome(undefined)
      ),
    };
  }
}

function asOutcome(answer: NodeAnswer | undefined): Outcome {
  if (answer === undefined) return new SmtpError(451, "4.2", "the address's node can't be reached");
  if (answer.code < 400) return undefined;
  return new SmtpError(answer.code, answer.enhanced, answer.text);
}

function away(): SmtpError {
  return new SmtpError(451, "4.2", "the address's node can't be reached, try again later");
}

function asRefusal(err: unknown): unknown {
  if (err instanceof NodeRefusal) {
    const { code, enhanced, text } = err.answer;
    // 421 is about the connection between the nodes.
    return new SmtpError(code === 421 ? 451 : code, enhanced, text);
  }
  return err;
}
