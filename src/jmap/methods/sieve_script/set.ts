/** SieveScript/set (RFC 9661 §2.4). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { applyPatch, sameJson } from "../../core/patch.ts";
import { notFound, resolveId, runSet, setEntries } from "../../core/set.ts";
import {
  idOfName,
  scriptObjects,
  scriptOf,
  scriptProperties,
  scriptSetError,
  scriptState,
  textOfBlob,
} from "../../sieve/scripts.ts";

function checkNames(o: Record<string, unknown>): void {
  const unknown = Object.keys(o).filter((k) => !scriptProperties.includes(k));
  if (unknown.length > 0) throw invalidProperties(unknown, `no such properties: ${unknown}`);
}

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
    const account = access.account.name;
    const { scripts } = ctx.s;
    const activeId = () => {
      const name = scripts.active(account);
      return name === undefined ? undefined : idOfName(scripts, account, name);
    };
    const before = activeId();
    const result = await runSet(ctx, args, {
      state: () => scriptState(scripts, account),
      async create(o) {
        checkNames(o);
        if (o.id !== undefined || o.isActive === true) {
          throw invalidProperties(
            o.id === undefined ? ["isActive"] : ["id"],
            "the server sets this",
          );
        }
        if (o.name !== undefined && o.name !== null && typeof o.name !== "string") {
          throw invalidProperties(["name"], "the name is a text");
        }
        const name = typeof o.name === "string" ? o.name : `script-${crypto.randomUUID()}`;
        const existing = idOfName(scripts, account, name);
        if (existing) {
          throw new SetError("alreadyExists", "there is a script of that name", {
            existingId: existing,
          });
        }
        const text = await textOfBlob(ctx.s, access, o.blobId);
        await scripts.put(account, name, text).catch(scriptSetError);
        const made = scriptObjects(scripts, account).get(idOfName(scripts, account, name)!)!;
        return typeof o.name === "string"
          ? { id: made.id, blobId: made.blobId, isActive: false }
          : { ...made };
      },
      async update(id, patch) {
        const found = scriptOf(scripts, account, id);
        if (!found) throw notFound();
        const old = scriptObjects(scripts, account).get(id)!;
        const next = applyPatch(old, patch);
        checkNames(next);
        const fixed = ["id", "isActive"].filter((k) => !sameJson(next[k], old[k]));
        if (fixed.length > 0) throw invalidProperties(fixed, "the server sets this");
        let { name } = found;
        if (next.name !== old.name) {
          if (typeof next.name !== "string") {
            throw invalidProperties(["name"], "the name is a text");
          }
          await scripts.rename(account, name, next.name)
            .catch((err) => scriptSetError(err, idOfName(scripts, account, next.name as string)));
          name = next.name;
        }
        if (next.blobId === old.blobId) return null;
        const text = await textOfBlob(ctx.s, access, next.blobId);
        await scripts.put(account, name, text).catch(scriptSetError);
        return { blobId: scriptObjects(scripts, account).get(id)!.blobId };
      },
      async destroy(id) {
        const found = scriptOf(scripts, account, id);
        if (!found) throw notFound();
        await scripts.remove(account, found.name).catch(scriptSetError);
      },
    });
    const failed = [result.notCreated, result.notUpdated, result.notDestroyed].some((x) =>
      x !== null
    );
    if (failed) return result;
    // RFC 9661 §2.4: one of them, if everything else has succeeded.
    if (args.onSuccessActivateScript) {
      const id = resolveId(ctx, args.onSuccessActivateScript);
      const found = id === undefined ? undefined : scriptOf(scripts, account, id);
      if (found) await scripts.setActive(account, found.name);
    } else if (args.onSuccessDeactivateScript) {
      await scripts.setActive(account, "");
    }
    const after = activeId();
    if (after === before) return result;
    const updated = {
      ...(result.updated as Record<string, Record<string, unknown> | null> | null),
    };
    const created = result.created as Record<string, Record<string, unknown>> | null;
    for (const [id, isActive] of [[before, false], [after, true]] as const) {
      if (id === undefined || !scriptOf(scripts, account, id)) continue;
      const made = Object.values(created ?? {}).find((o) => o.id === id);
      if (made) made.isActive = isActive;
      else updated[id] = { ...updated[id], isActive };
    }
    return {
      ...result,
      newState: scriptState(scripts, account),
      updated: Object.keys(updated).length === 0 ? null : updated,
    };
  },
});
