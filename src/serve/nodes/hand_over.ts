/**
 * Queued messages for recipients with accounts on other nodes: they use the link between the nodes, whatever the
 * route for their domain, and wait while the node is away.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { NodeAway } from "../../nodes/link.ts";
import {
  type MailLinks,
  type NodeAnswer,
  NodeRefusal,
  type PassedClient,
  PassedTransaction,
} from "../../nodes/pass_on.ts";
import type { Deliverer, QueueItem, QueueMessage, Result } from "../../queue/mod.ts";
import { addressOf } from "../onward/dsn.ts";
import { clientOf } from "../receiving/away.ts";
import { isRelayAddress, nodeOfAddress } from "../receiving/targets.ts";

export interface HandOverOptions {
  config: Config;
  /** Undefined while the server starts, and without nodes. */
  links: () => MailLinks | undefined;
  /** The address from which other servers receive this one's mail. */
  ownIp: string;
}

/** Delivers recipients on other nodes to these, and all others by `remote`. */
export function withNodes(options: HandOverOptions, remote: Deliverer): Deliverer {
  return {
    ...remote,
    async deliver(message, items, ...more) {
      if (options.config.dynamic.Nodes.size === 0) {
        return await remote.deliver(message, items, ...more);
      }
      const results = new Map<QueueItem, Result>();
      const groups = new Map<string | undefined, QueueItem[]>();
      for (const item of items) {
        // A transport set by the administrator has priority, for one message or for a domain (Relay).
        const address = addressOf(item.address);
        const node = item.transport === undefined && !isRelayAddress(options.config, address)
          ? nodeOfAddress(options.config, address)
          : undefined;
        groups.set(node, [...groups.get(node) ?? [], item]);
      }
      for (const [node, group] of groups) {
        const got = node === undefined
          ? await remote.deliver(message, group, ...more)
          : await handOver(options, node, message, group);
        group.forEach((item, i) => results.set(item, got[i]));
      }
      return items.map((item) => results.get(item)!);
    },
  };
}

/** This server as others see it, for its own messages. */
function ownClient(options: HandOverOptions): PassedClient {
  const { ownIp: ip } = options;
  const hello = options.config.static.Hostname;
  return { remoteIp: ip, remotePort: 0, localIp: ip, localPort: 25, hello, tls: undefined };
}

async function handOver(
  options: HandOverOptions,
  node: string,
  message: QueueMessage,
  items: readonly QueueItem[],
): Promise<Result[]> {
  const links = options.links();
  const place = options.config.dynamic.Nodes.get(node);
  const results = new Map<QueueItem, Result>();
  const forAll = (r: Result) => items.map((i) => results.get(i) ?? r);
  if (links === undefined || place === undefined) return forAll(away("this node is starting"));
  let t: PassedTransaction | undefined;
  try {
    t = await PassedTransaction.begin(links, node, place, clientOf(message) ?? ownClient(options), {
      mailFrom: message.mailFrom,
      recipients: [],
      size: message.prefix.length + message.fileSize,
      body: message.binary ? "binary" : message.has8bit ? "8bit" : "7bit",
      smtpUtf8: message.smtputf8,
      requireTls: message.requireTls,
      ret: message.ret,
      envelopeId: message.envelopeId,
    });
    const taken: QueueItem[] = [];
    for (const item of items) {
      try {
        await t.recipient(item);
        taken.push(item);
      } catch (err) {
        if (!(err instanceof NodeRefusal)) throw err;
        results.set(item, resultOf(node, err.answer));
      }
    }
    if (taken.length > 0) {
      const answers = await t.message(message.path, message.fileSize, message.prefix);
      taken.forEach((item, i) => results.set(item, resultOf(node, answers[i])));
    }
    return forAll(away(`node ${node} did not answer`));
  } catch (err) {
    if (err instanceof NodeRefusal) return forAll(resultOf(node, err.answer));
    if (err instanceof NodeAway) return forAll(away(err.message));
    throw err;
  } finally {
    t?.close();
  }
}

function away(text: string): Result {
  return { kind: "temporary", code: 451, enhanced: "4.4.2", text };
}

function resultOf(node: string, { code, enhanced, text }: NodeAnswer): Result {
  if (code < 400) return { kind: "delivered", code, enhanced: `2.${enhanced}`, text };
  const kind = code < 500 ? "temporary" : "permanent";
  return {
    kind,
    code,
    enhanced: `${kind === "temporary" ? 4 : 5}.${enhanced}`,
    text,
    remoteMta: node,
  };
}
