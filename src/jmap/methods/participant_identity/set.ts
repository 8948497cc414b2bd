/**
 * ParticipantIdentity/set (jmap-calendars §3.3): a user chooses names and the default. The administrator sets the
 * addresses of an account. @module
 */
import * as v from "valibot";
import {
  choose,
  participantIdentities,
  participantProperties,
  participantState,
} from "../../calendars/participant_identities.ts";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { applyPatch, sameJson } from "../../core/patch.ts";
import { notFound, runSet, setEntries } from "../../core/set.ts";

/** Most characters of a display name. */
const maxName = 255;

export const participantIdentitySet = defineMethod({
  name: "ParticipantIdentity/set",
  capability: Capability.Calendars,
  args: v.strictObject({
    ...setEntries,
    onSuccessSetIsDefault: v.optional(v.nullable(v.string())),
  }),
  async run(ctx, args) {
    const { account: { name: account } } = await ctx.access(args.accountId, { own: true });
    const all = () => participantIdentities(ctx.s, account);
    const forbidden = () =>
      new SetError("forbidden", "the addresses of the account are set by its administrator");
    const result = await runSet(ctx, args, {
      state: () => participantState(ctx.s, account),
      create: () => Promise.reject(forbidden()),
      async update(id, patch) {
        const before = all().get(id);
        if (before === undefined) throw notFound();
        const after = applyPatch(before, patch);
        const changed = Object.keys(after).filter((k) => !sameJson(after[k], before[k]));
        if (changed.includes("calendarAddress") || changed.includes("sendTo")) throw forbidden();
        const bad = changed.filter((k) => k !== "name" || !participantProperties.includes(k));
        if (bad.length > 0) throw invalidProperties(bad, "the server sets these");
        const { name } = after;
        if (typeof name !== "string" || name.length > maxName) {
          throw invalidProperties(["name"], `name is a text of at most ${maxName} characters`);
        }
        if (changed.length > 0) {
          await choose(ctx.s, account, (c) => ({ ...c, names: { ...c.names, [id]: name } }));
        }
        return null;
      },
      async destroy(id) {
        throw await Promise.resolve(all().has(id) ? forbidden() : notFound());
      },
    });
    const chosen = args.onSuccessSetIsDefault;
    const failed = [result.notCreated, result.notUpdated, result.notDestroyed].some((x) =>
      x !== null
    );
    if (!chosen || failed || all().get(chosen)?.isDefault !== false) return result;
    const before = all();
    await choose(ctx.s, account, (c) => ({ ...c, isDefault: chosen }));
    const updated = { ...result.updated as Record<string, Record<string, unknown> | null> | null };
    for (const [id, { isDefault }] of all()) {
      if (before.get(id)?.isDefault !== isDefault) updated[id] = { ...updated[id], isDefault };
    }
    return { ...result, updated, newState: participantState(ctx.s, account) };
  },
});
