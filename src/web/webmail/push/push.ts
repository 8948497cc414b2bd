/**
 * Telling browsers of new mail by their push services (RFC 8030), with sender and subject, encrypted for
 * the browser alone (RFC 8291).
 *
 * @module
 */
import type { Reminder } from "../../../groupware/reminders.ts";
import type { Log } from "../../../log/mod.ts";
import { encryptPush } from "../../../net/webpush/encrypt.ts";
import { vapidHeader } from "../../../net/webpush/vapid.ts";
import type { Account } from "../../../store/account/account.ts";
import { Flag, type Listener } from "../../../store/types.ts";
import { messageItem } from "../list/items.ts";
import type { Subscription, Subscriptions } from "./subscriptions.ts";

/** Messages of one moment that are told one by one; of more only the last. */
const maxNotices = 5;
/** Alarms of one minute that are told. */
export const maxReminders = 5;
/** Characters of a text in a push message. */
const maxWords = 200;
/** Seconds that a push service keeps a message for a browser that isn't there. */
const timeToLive = 24 * 3600;
/** Messages that are on their way at a time; more are dropped. */
const maxUnderWay = 100;

/** POSTs to a push service; gives the status. */
export type PostPush = (
  endpoint: URL,
  headers: Record<string, string>,
  body: Uint8Array,
) => Promise<number>;

/** What a browser's worker gets. */
export interface PushMessage {
  from: string;
  subject: string;
  mailbox: string;
  /** Unread in it. */
  unread: number;
}

export class Push {
  readonly #subscriptions: Subscriptions;
  readonly #post: PostPush;
  readonly #contact: string;
  readonly #log: Log;
  #underWay = 0;

  constructor(o: { subscriptions: Subscriptions; post: PostPush; contact: string; log: Log }) {
    this.#subscriptions = o.subscriptions;
    this.#post = o.post;
    this.#contact = o.contact;
    this.#log = o.log;
  }

  /** Follows an open account, as long as it is open. */
  follow(account: Account): void {
    const listener = account.listen();
    listener.onPending = () => queueMicrotask(() => this.#changed(account, listener));
  }

  #changed(account: Account, listener: Listener): void {
    const changes = listener.take();
    const all = this.#subscriptions.of(account.name);
    if (all.length === 0) return;
    const fresh = changes.flatMap((c) =>
      c.kind === "addMessage" && !(c.flags & (Flag.Seen | Flag.Draft)) ? [c] : []
    );
    for (const c of fresh.slice(-maxNotices)) {
      const box = account.mailbox(c.mailboxId);
      const item = messageItem(account, c.messageId);
      if (box === undefined || item === undefined) continue;
      const [from] = item.from;
      const message: PushMessage = {
        from: (from?.name || from?.address || "").slice(0, maxWords),
        subject: item.subject.slice(0, maxWords),
        mailbox: box.name,
        unread: box.unread,
      };
      for (const s of all) {
        if (s.mailboxes.includes(box.name)) void this.#send(s, message);
      }
    }
  }

  /** Tells all browsers of an account of an event. */
  remind(account: string, reminder: Reminder): void {
    const { event } = reminder;
    for (const s of this.#subscriptions.of(account)) void this.#send(s, { event });
  }

  async #send(
    subscription: Subscription,
    message: PushMessage | Pick<Reminder, "event">,
  ): Promise<void> {
    if (this.#underWay >= maxUnderWay) return;
    this.#underWay++;
    try {
      const endpoint = new URL(subscription.endpoint);
      const body = await encryptPush(
        new TextEncoder().encode(JSON.stringify(message)),
        subscription,
      );
      const status = await this.#post(endpoint, {
        "Authorization": await vapidHeader(this.#subscriptions.key, endpoint, this.#contact),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": String(timeToLive),
        "Urgency": "normal",
      }, body);
      // RFC 8030 §7.3: the browser has ended it.
      if (status === 404 || status === 410) {
        this.#subscriptions.remove(subscription.account, subscription.endpoint);
      } else if (status >= 300) this.#log.info("push service refuses a message", { status });
    } catch (err) {
      this.#log.info("push service can't be reached", { err: err as Error });
    } finally {
      this.#underWay--;
    }
  }
}
