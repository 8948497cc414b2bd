/**
 * Sends messages of lists to their members: queues them one by one, each with its own sender, unsubscribe link and
 * signature. Lists take turns, so that a long one doesn't hold up others.
 *
 * @module
 */
import { type ResolvedList } from "../../config/mod.ts";
import { maxSlice, type Member } from "../../lists/members.ts";
import type { Post } from "../../lists/posts.ts";
import { leaveFields } from "../../lists/header.ts";
import { countPanic } from "../../metrics/mod.ts";
import { joined } from "../../platform/bytes.ts";
import { giveWay } from "../../platform/turns.ts";
import { repeatedSignature } from "../sending/signing.ts";
import {
  bounceAddress,
  listByKey,
  type ListServices,
  pagesUrl,
  senderName,
  tokenOf,
} from "./services.ts";

/** Milliseconds until the next try after an error, such as a full disk. */
const retryTime = 10_000;
/** Milliseconds between checks for finished probes. */
const probeLook = 3_600_000;
const encoder = new TextEncoder();

/** State of a message while it is sent. */
interface Sending {
  sign: (prefix: Uint8Array) => string;
  /** The queue may have the next member's copy already, from before a crash. */
  unsure: boolean;
}

export class ListSender {
  readonly #s: ListServices;
  readonly #known = new Map<number, Sending>();
  #wake = Promise.withResolvers<void>();
  #stopping = false;
  #running: Promise<void> | undefined;
  #lastProbes = 0;

  constructor(services: ListServices) {
    this.#s = services;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Wakes up sending. */
  wake(): void {
    this.#wake.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.wake();
    await this.#running;
  }

  /** Resolves when everything is queued; for tests. */
  async idle(): Promise<void> {
    while (!this.#stopping && this.#s.db.posts.sending().length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      let wait = probeLook;
      try {
        const now = this.#s.now();
        if (now - this.#lastProbes > probeLook) {
          this.#lastProbes = now;
          this.#s.db.members.endProbes(now);
        }
        const posts = this.#s.db.posts.sending();
        for (const { list, id } of posts) {
          if (this.#stopping) return;
          await this.#slice(list, id);
        }
        if (posts.length > 0) continue;
      } catch (err) {
        this.#s.log.error("sending messages of lists", { err: err as Error });
        countPanic("lists");
        wait = retryTime;
      }
      await this.#sleep(wait);
    }
  }

  async #sleep(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
    await Promise.race([this.#wake.promise, late]);
    clearTimeout(timer);
    this.#wake = Promise.withResolvers();
  }

  /** Sends one message to the next members of a list. */
  async #slice(key: string, id: number): Promise<void> {
    const { db, config, log } = this.#s;
    const list = listByKey(config, key);
    const post = db.posts.get(key, id);
    if (post === undefined) return;
    if (list === undefined) {
      // The list was removed, or its domain disabled: its messages are removed with it, or sent later.
      this.#known.delete(id);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return;
    }
    let known = this.#known.get(id);
    if (known === undefined) {
      const file = { file: db.files.path(id), fileSize: post.size };
      known = {
        sign: post.vouched ? await repeatedSignature(config, list.domain.ascii, file) : () => "",
        unsure: true,
      };
      this.#known.set(id, known);
    }
    const members = db.members.after(key, post.cursor, maxSlice)
      .filter((m) => m.id <= post.lastMember);
    for (const member of members) {
      if (this.#stopping) return;
      await this.#toMember(list, post, member, known);
      await giveWay();
    }
    if (members.length > 0) return;
    this.#known.delete(id);
    log.info("list: message is on its way to all members", { list: key, id });
    if (list.config.Archive === "none") await db.posts.remove(key, id);
    else db.posts.sent(id);
  }

  async #toMember(list: ResolvedList, post: Post, member: Member, known: Sending): Promise<void> {
    const { db, queue, config } = this.#s;
    const account = senderName(list);
    const { address } = member;
    if (known.unsure) {
      known.unsure = false;
      const since = post.received - 60_000;
      if (queue.holds({ account, address, messageId: post.messageId, since })) {
        return db.posts.passed(post.id, member.id);
      }
    }
    if (member.dead) return db.posts.passed(post.id, member.id);
    // The list's own record of bounces decides, not the queue.
    if (queue.suppressed(account, address)) await queue.unsuppress(account, address);
    const signed = post.vouched &&
      (config.domain(list.domain.ascii)?.config.DKIM.Sign.length ?? 0) > 0;
    const leave = tokenOf(this.#s, list, "leave", member.id);
    const fields = leaveFields(list, leave, pagesUrl(config), signed);
    const head = encoder.encode(fields + post.arc);
    const prefix = joined([encoder.encode(known.sign(head)), head]);
    await db.queueing(queue.add({
      // Lower priority than mail that people have written.
      priority: -1,
      senderAccount: account,
      mailFrom: bounceAddress(this.#s, list, "bounce", member.id),
      recipients: [{ address }],
      file: db.files.path(post.id),
      fileSize: post.size,
      prefix,
      smtputf8: post.smtputf8,
      has8bit: post.has8bit,
      binary: post.binary,
      requireTls: post.requireTls,
      messageId: post.messageId,
      subject: post.subject,
      onAdded: () => db.posts.passed(post.id, member.id),
    }));
  }
}
