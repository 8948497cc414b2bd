/** PushSubscription/get (RFC 8620 §7.2.1). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { askedIds, askedProperties, getEntries, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { utcDateOf } from "../../core/types.ts";
import { objectId } from "../../objects/store.ts";
import type { PushSubscription } from "../../push/pusher.ts";

const properties = ["id", "deviceClientId", "verificationCode", "expires", "types"];

export const pushSubscriptionGet = defineMethod({
  name: "PushSubscription/get",
  capability: Capability.Core,
  args: v.strictObject({ ids: getEntries.ids, properties: getEntries.properties }),
  run(ctx, args) {
    // Secret properties are not returned (RFC 8620 §7.2.1).
    if (args.properties?.some((p) => p === "url" || p === "keys")) {
      throw new MethodError("forbidden", "url and keys are told to nobody");
    }
    const asked = askedProperties(args.properties, properties);
    const now = Date.now();
    const objects = new Map(
      ctx.s.objects.list<PushSubscription>(ctx.user.account, "push")
        .filter(({ value }) => value.expires > now).map(({ id, value }) => {
          const key = objectId("push", id);
          return [key, {
            id: key,
            deviceClientId: value.deviceClientId,
            verificationCode: value.verified ? value.code : null,
            expires: utcDateOf(value.expires),
            types: value.types,
          }];
        }),
    );
    const { list, notFound } = getResponse("", "", askedIds(args.ids), objects, asked);
    return { list, notFound };
  },
});
