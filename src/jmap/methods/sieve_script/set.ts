/** SieveScript/set (RFC 9661 §2.4). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { applyPatch, sameJson } from "../../core/patch.ts";
import { notFound, resolveId, runSet, setEntries } from "../../core/set.ts";
import {
  scriptError,
  scriptId,
  scriptObjects,
  scriptProperties,
  scriptState,
} from "../../mail/scripts.ts";
import { scriptText } from "../../mail/script_text.ts";

export const sieveScriptSet = defineMethod({
  name: "SieveScript/set",
  capability: Capability.Sieve,
  args: v.strictObject({
    ...setEntries,
    onSuccessActivateScript: v.optional(v.nullable(v.string())),
    onSuccessDeactivateScript: v.optional(v.nullable(v.boolean())),
  }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    const { name: account } = access.account;
    const { scripts } = ctx.s;
    const byId = (id: string) => scripts.list(account).find((s) => scriptId(s.id) === id);
    const idOf = (name: string) => {
      const found = scripts.list(account).find((s) => s.name === name);
      return found && scriptId(found.id);
    };
    const tried = async <T>(fn: () => Promise<T>, name?: string): Promise<T> => {
      try {
        return await fn();
      } catch (err) {
        if (err instanceof SetError) throw err;
        throw scriptError(err, name === undefined ? undefined : idOf(name));
      }
    };
    const exists = (name: string) =>
      new SetError("alreadyExists", "there is a script of that name", { existingId: idOf(name) });
    const isName = (x: unknown): x is string => typeof x === "string" && x !== "";
    const r = await runSet(ctx, args, {
      state: () => scriptState(scripts, account),
      async create(o) {
        const bad = Object.keys(o).filter((k) => k !== "name" && k !== "blobId");
        if (o.name !== undefined && o.name !== null && !isName(o.name)) bad.push("name");
        if (typeof o.blobId !== "string") bad.push("blobId");
        if (bad.length > 0) throw invalidProperties(bad, `can't be so: ${bad.join(", ")}`);
        const name = isName(o.name)
          ? o.name
          : `script ${new Date().toISOString()} ${crypto.randomUUID().slice(0, 4)}`;
        if (scripts.get(account, name) !== undefined) throw exists(name);
        const text = await scriptText(ctx, access, o.blobId);
        await tried(() => scripts.put(account, name, text));
        const made = scriptObjects(scripts, account).get(idOf(name)!)!;
        return {
          id: made.id,
          isActive: made.isActive,
          blobId: made.blobId,
          ...o.name === name ? {} : { name },
        };
      },
      async update(id, patch) {
        const found = byId(id);
        if (!found) throw notFound();
        const before = scriptObjects(scripts, account).get(id)!;
        const after = applyPatch(before, patch);
        const changed = Object.keys(after).filter((k) => !sameJson(after[k], before[k]));
        const bad = changed.filter((k) => k !== "name" && k !== "blobId");
        if (changed.includes("name") && !isName(after.name)) bad.push("name");
        if (bad.length > 0) {
          const known = bad.every((k) => scriptProperties.includes(k));
          throw invalidProperties(bad, known ? `can't be set so: ${bad}` : `there is no ${bad}`);
        }
        if (changed.includes("blobId")) {
          const text = await scriptText(ctx, access, after.blobId);
          await tried(() => scripts.put(account, found.name, text));
        }
        if (changed.includes("name")) {
          const name = after.name as string;
          await tried(() => scripts.rename(account, found.name, name), name);
        }
        return changed.includes("blobId")
          ? { blobId: scriptObjects(scripts, account).get(id)!.blobId }
          : null;
      },
      async destroy(id) {
        const found = byId(id);
        if (!found) throw notFound();
        await tried(() => scripts.remove(account, found.name));
      },
    });
    // RFC 9661 §2.4: if all went well.
    const failed = r.notCreated !== null || r.notUpdated !== null || r.notDestroyed !== null;
    if (!failed && args.onSuccessActivateScript) {
      const found = byId(resolveId(ctx, args.onSuccessActivateScript) ?? "");
      if (found) await scripts.setActive(account, found.name);
    } else if (!failed && args.onSuccessDeactivateScript) await scripts.setActive(account, "");
    return { ...r, newState: scriptState(scripts, account) };
  },
});
