/**
 * Push subscriptions (RFC 8620 §7.2): who is notified of new states at which URL, and sending the
 * notifications.
 *
 * @module
 */
import type { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import type { User } from "../core/method.ts";
import type { JmapServices, PushNotifier } from "../services.ts";
import { encryptPush, readKeys } from "../../net/webpush/encrypt.ts";
import { alertType, type CalendarAlert } from "./alert.ts";
import { type AllStates, changedStates } from "./states.ts";
import { Watcher } from "./watcher.ts";

/** A stored subscription. */
export interface PushSubscription {
  deviceClientId: string;
  url: string;
  keys: { p256dh: string; auth: string } | null;
  /** The code that the client must return. */
  code: string;
  verified: boolean;
  /** Milliseconds. */
  expires: number;
  types: string[] | null;
  /** Address used to log in. */
  login: string;
  /** Failed attempts in a row. */
  failures: number;
}

/** Longest lifetime of a subscription in milliseconds. */
export const longestSubscription = 30 * 24 * 3600_000;
/** Most subscriptions of a user. */
export const maxSubscriptions = 50;
/** Failed attempts before a subscription is given up. */
const maxFailures = 20;
/** Milliseconds between two messages to one URL, and to wait for an answer. */
const pushInterval = 1_000;
const answerTime = 15_000;

/** Followed users: one watcher for each, however many subscriptions there are. */
interface Followed {
  watcher: Watcher | undefined;
  /** States to send, by subscription. */
  pending: Map<number, AllStates>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Pusher implements PushNotifier {
  /** Handles requests instead of the network. */
  static outboundForTests: Pick<Outbound, "request" | "forUsers"> | undefined;
  readonly #s: () => JmapServices;
  readonly #outbound: Pick<Outbound, "request" | "forUsers">;
  readonly #log: Log;
  readonly #followed = new Map<string, Followed>();
  #closed = false;

  constructor(s: () => JmapServices, outbound: Pick<Outbound, "request" | "forUsers">, log: Log) {
    this.#s = s;
    this.#outbound = outbound;
    this.#log = log;
  }

  /** Follows all users with subscriptions. */
  async start(): Promise<void> {
    for (const account of this.#s().objects.accounts()) await this.refresh(account);
  }

  /** Active subscriptions: verified and not expired. */
  #active(account: string): { id: number; value: PushSubscription }[] {
    const now = Date.now();
    return this.#s().objects.list<PushSubscription>(account, "push")
      .filter(({ value }) => value.verified && value.expires > now);
  }

  /** Updates who is followed for an account. */
  async refresh(account: string): Promise<void> {
    if (this.#closed) return;
    const active = this.#active(account);
    const followed = this.#followed.get(account);
    if (active.length === 0 || this.#s().config.account(account) === undefined) {
      followed?.watcher?.close();
      clearTimeout(followed?.timer);
      this.#followed.delete(account);
      return;
    }
    if (followed) return;
    const f: Followed = { watcher: undefined, pending: new Map(), timer: undefined };
    this.#followed.set(account, f);
    const user: User = { account, login: active[0].value.login };
    try {
      f.watcher = await Watcher.start(this.#s(), user, {
        types: undefined,
        tell: (changed) => this.#changed(account, f, changed),
      });
      if (this.#closed) f.watcher.close();
    } catch (err) {
      this.#followed.delete(account);
      this.#log.error("following an account for push", { account, err: err as Error });
    }
  }

  #changed(account: string, followed: Followed, changed: AllStates): void {
    for (const { id, value } of this.#active(account)) {
      const types = value.types === null ? undefined : new Set(value.types);
      const wanted = changedStates({}, changed, types);
      if (Object.keys(wanted).length === 0) continue;
      const pending = followed.pending.get(id) ?? {};
      for (const [a, states] of Object.entries(wanted)) {
        pending[a] = { ...pending[a], ...states };
      }
      followed.pending.set(id, pending);
    }
    if (followed.pending.size > 0) {
      followed.timer ??= setTimeout(() => this.#flush(account, followed), 0);
    }
  }

  async #flush(account: string, followed: Followed): Promise<void> {
    const pending = [...followed.pending];
    followed.pending.clear();
    await Promise.all(pending.map(async ([id, changed]) => {
      const value = this.#s().objects.get<PushSubscription>(account, "push", id);
      if (!value || value.expires <= Date.now()) return;
      await this.#push(account, id, value, { "@type": "StateChange", changed });
    }));
    followed.timer = undefined;
    if (this.#closed || followed.pending.size === 0) return;
    followed.timer = setTimeout(() => this.#flush(account, followed), pushInterval);
  }

  /** Sends the code that proves that the client receives messages at its URL. */
  async verify(account: string, id: number, pushSubscriptionId: string): Promise<void> {
    const value = this.#s().objects.get<PushSubscription>(account, "push", id);
    if (!value) return;
    await this.#push(account, id, value, {
      "@type": "PushVerification",
      pushSubscriptionId,
      verificationCode: value.code,
    });
  }

  alerted(): string[] {
    return [...this.#followed.keys()].filter((a) => this.#toAlerts(a).length > 0);
  }

  alert(account: string, alert: CalendarAlert): void {
    for (const { id, value } of this.#toAlerts(account)) {
      void this.#push(account, id, value, { ...alert });
    }
  }

  #toAlerts(account: string): { id: number; value: PushSubscription }[] {
    return this.#active(account).filter(({ value }) => value.types?.includes(alertType));
  }

  async #push(
    account: string,
    id: number,
    subscription: PushSubscription,
    message: Record<string, unknown>,
  ): Promise<void> {
    const { objects, vapid } = this.#s();
    const outbound = Pusher.outboundForTests ?? this.#outbound;
    let failed: string | undefined;
    let gone = false;
    try {
      const url = new URL(subscription.url);
      const text = JSON.stringify(message);
      const keys = subscription.keys &&
        readKeys(subscription.keys.p256dh, subscription.keys.auth);
      if (keys === undefined) throw new Error("the subscription's keys can't be used");
      const body = keys ? await encryptPush(new TextEncoder().encode(text), keys) : text;
      const answer = await outbound.request({
        url,
        method: "POST",
        headers: {
          "content-type": keys ? "application/octet-stream" : "application/json",
          ...keys ? { "content-encoding": "aes128gcm" } : {},
          // RFC 8030 §5.2: seconds to keep it for an absent client.
          ttl: "86400",
          urgency: "normal",
          authorization: await vapid.authorization(url.origin, Date.now()),
        },
        body,
        rule: outbound.forUsers,
        timeout: answerTime,
        maxBytes: 4096,
        cutOff: true,
      });
      gone = answer.status === 404 || answer.status === 410;
      if (answer.status < 200 || answer.status > 299) failed = `status ${answer.status}`;
    } catch (err) {
      failed = err instanceof Error ? err.message : String(err);
    }
    if (failed === undefined) {
      if (subscription.failures > 0) {
        await objects.put(account, "push", id, { ...subscription, failures: 0 });
      }
      return;
    }
    this.#log.info("push failed", {
      account,
      host: URL.parse(subscription.url)?.host ?? "",
      why: failed,
    });
    // RFC 8620 §7.2: a subscription whose URL is gone, or never answers, ends.
    if (gone || subscription.failures + 1 >= maxFailures) {
      await objects.remove(account, "push", id);
      await this.refresh(account);
    } else {await objects.put(account, "push", id, {
        ...subscription,
        failures: subscription.failures + 1,
      });}
  }

  close(): void {
    this.#closed = true;
    for (const f of this.#followed.values()) {
      f.watcher?.close();
      clearTimeout(f.timer);
    }
    this.#followed.clear();
  }
}
