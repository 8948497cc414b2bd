/** PushSubscription/set (RFC 8620 §7.2.2). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { patchSteps } from "../../core/patch.ts";
import { notFound, runSet, setEntries } from "../../core/set.ts";
import { dateMs, utcDateOf } from "../../core/types.ts";
import { objectId, objectNumber } from "../../objects/store.ts";
import { readKeys } from "../../../net/webpush/encrypt.ts";
import { longestSubscription, maxSubscriptions, type PushSubscription } from "../../push/pusher.ts";

/** Default lifetime in milliseconds. */
const usual = 7 * 24 * 3600_000;

function readExpires(value: unknown, now: number): number {
  if (value === undefined || value === null) return now + usual;
  const ms = typeof value === "string" && value.endsWith("Z") ? dateMs(value) : undefined;
  if (ms === undefined || ms <= now) {
    throw invalidProperties(["expires"], "expires must be a date in UTC, to come");
  }
  return Math.min(ms, now + longestSubscription);
}

function readTypes(value: unknown): string[] | null {
  if (value === undefined || value === null) return null;
  if (
    !Array.isArray(value) || value.length === 0 || value.length > 100 ||
    value.some((t) => typeof t !== "string" || !/^[A-Za-z]{1,100}$/.test(t))
  ) throw invalidProperties(["types"], "types must be names of types, or null");
  return value;
}

export const pushSubscriptionSet = defineMethod({
  name: "PushSubscription/set",
  capability: Capability.Core,
  args: v.strictObject({
    create: setEntries.create,
    update: setEntries.update,
    destroy: setEntries.destroy,
  }),
  async run(ctx, args) {
    const { objects, pusher } = ctx.s;
    const { account, login } = ctx.user;
    const now = Date.now();
    const find = (id: string) => {
      const number = objectNumber("push", id);
      const value = number === undefined
        ? undefined
        : objects.get<PushSubscription>(account, "push", number);
      if (number === undefined || !value || value.expires <= now) throw notFound();
      return { number, value };
    };
    const r = await runSet(ctx, { accountId: "", ...args }, {
      state: () => "",
      async create(o) {
        const known = ["deviceClientId", "url", "keys", "expires", "types"];
        const bad = Object.keys(o).filter((k) => !known.includes(k));
        if (typeof o.deviceClientId !== "string" || o.deviceClientId.length > 255) {
          bad.push("deviceClientId");
        }
        const url = typeof o.url === "string" && o.url.length <= 2000
          ? URL.parse(o.url)
          : undefined;
        if (url?.protocol !== "https:" || url.username !== "") bad.push("url");
        let keys: PushSubscription["keys"] = null;
        if (o.keys !== undefined && o.keys !== null) {
          const { p256dh, auth } = o.keys as Record<string, unknown>;
          const fit = typeof p256dh === "string" && typeof auth === "string" &&
            readKeys(p256dh, auth) !== undefined;
          if (fit) keys = { p256dh, auth };
          else bad.push("keys");
        }
        if (bad.length > 0) throw invalidProperties(bad, `can't be so: ${bad.join(", ")}`);
        const expires = readExpires(o.expires, now);
        const types = readTypes(o.types);
        const old = objects.list<PushSubscription>(account, "push");
        // Expired ones make room.
        for (const p of old) {
          if (p.value.expires <= now) await objects.remove(account, "push", p.id);
        }
        if (old.filter((p) => p.value.expires > now).length >= maxSubscriptions) {
          throw new SetError("overQuota", `a user can have ${maxSubscriptions} subscriptions`);
        }
        const subscription: PushSubscription = {
          deviceClientId: o.deviceClientId as string,
          url: o.url as string,
          keys,
          code: crypto.getRandomValues(new Uint8Array(18)).toBase64({ alphabet: "base64url" }),
          verified: false,
          expires,
          types,
          login,
          failures: 0,
        };
        const number = await objects.add(account, "push", subscription);
        const id = objectId("push", number);
        pusher.verify(account, number, id).catch((err) =>
          ctx.log.error("push verification", { err: err as Error })
        );
        return {
          id,
          ...o.keys === undefined ? { keys: null } : {},
          expires: utcDateOf(expires),
          ...o.types === undefined ? { types: null } : {},
        };
      },
      async update(id, patch) {
        const { number, value } = find(id);
        const next = { ...value };
        let returned: Record<string, unknown> | null = null;
        for (const { path, value: given } of patchSteps(patch)) {
          if (path.length !== 1) throw new SetError("invalidPatch", "nothing is below that");
          switch (path[0]) {
            case "verificationCode":
              if (given !== value.code) {
                throw invalidProperties(["verificationCode"], "the code is another one");
              }
              next.verified = true;
              break;
            case "expires":
              next.expires = readExpires(given, now);
              if (utcDateOf(next.expires) !== given) {
                returned = { expires: utcDateOf(next.expires) };
              }
              break;
            case "types":
              next.types = readTypes(given);
              break;
            default:
              throw invalidProperties([path[0]], `${path[0]} can't be changed`);
          }
        }
        await objects.put(account, "push", number, next);
        return returned;
      },
      async destroy(id) {
        const { number } = find(id);
        await objects.remove(account, "push", number);
      },
    });
    await pusher.refresh(account);
    const { accountId: _a, oldState: _o, newState: _n, ...shown } = r;
    return shown;
  },
});
