/** Identity/set (RFC 8621 §6.3). @module */
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { applyPatch, sameJson } from "../../core/patch.ts";
import { notFound, runSet, setArgs } from "../../core/set.ts";
import {
  type Identity,
  type IdentityAddress,
  identityProperties,
  maySendAs,
  syncIdentities,
} from "../../mail/identities.ts";
import { objectId, objectNumber } from "../../objects/store.ts";

/** Most characters of a name and of a signature, and most identities of an account. */
const maxName = 200;
const maxSignature = 50_000;
const maxIdentities = 200;

function isAddresses(value: unknown): value is IdentityAddress[] | null {
  return value === null ||
    Array.isArray(value) && value.length <= 100 &&
      value.every((a) =>
        typeof a === "object" && a !== null && typeof a.email === "string" &&
        /^[^\s<>@]{1,64}@[^\s<>@]{1,255}$/.test(a.email) &&
        (a.name === null || a.name === undefined || typeof a.name === "string") &&
        Object.keys(a).every((k) => k === "name" || k === "email")
      );
}

function check(i: Record<string, unknown>): string[] {
  const bad: string[] = [];
  if (typeof i.name !== "string" || i.name.length > maxName) bad.push("name");
  if (typeof i.email !== "string") bad.push("email");
  if (!isAddresses(i.replyTo)) bad.push("replyTo");
  if (!isAddresses(i.bcc)) bad.push("bcc");
  for (const s of ["textSignature", "htmlSignature"]) {
    const text = i[s];
    if (typeof text !== "string" || text.length > maxSignature) bad.push(s);
  }
  return bad;
}

const settable = ["name", "email", "replyTo", "bcc", "textSignature", "htmlSignature"];

export const identitySet = defineMethod({
  name: "Identity/set",
  capability: Capability.Submission,
  args: setArgs,
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    await syncIdentities(ctx.s, access);
    const { objects, config } = ctx.s;
    const { name: account } = access.account;
    const preset = { name: "", replyTo: null, bcc: null, textSignature: "", htmlSignature: "" };
    const find = (id: string) => {
      const number = objectNumber("identity", id);
      const value = number === undefined
        ? undefined
        : objects.get<Identity>(account, "identity", number);
      if (number === undefined || value === undefined) throw notFound();
      return { number, value };
    };
    return await runSet(ctx, args, {
      state: () => String(objects.state(account, "identity")),
      async create(o) {
        const unknown = Object.keys(o).filter((k) => !settable.includes(k));
        if (unknown.length > 0) throw invalidProperties(unknown, `no such properties: ${unknown}`);
        const identity = { ...preset, ...o };
        const bad = check(identity);
        if (bad.length > 0) throw invalidProperties(bad, `can't be so: ${bad.join(", ")}`);
        const email = (identity as unknown as Identity).email;
        if (!maySendAs(config, account, email)) {
          throw new SetError("forbiddenFrom", `${email} is not one of your addresses`);
        }
        if (objects.list(account, "identity").length >= maxIdentities) {
          throw new SetError("overQuota", `an account can have ${maxIdentities} identities`);
        }
        const id = await objects.add(account, "identity", { ...identity, ofAddress: false });
        const given = Object.keys(o);
        const returned = Object.entries(preset).filter(([k]) => !given.includes(k));
        return {
          id: objectId("identity", id),
          ...Object.fromEntries(returned),
          mayDelete: true,
        };
      },
      async update(id, patch) {
        const { number, value } = find(id);
        const { ofAddress, ...shown } = value;
        const before: Record<string, unknown> = { id, ...shown, mayDelete: !ofAddress };
        const after = applyPatch(before, patch);
        for (const [k, v] of Object.entries(preset)) if (after[k] === null) after[k] = v;
        const changed = Object.keys(after).filter((k) => !sameJson(after[k], before[k]));
        const fixed = changed.filter((k) => !settable.includes(k) || k === "email");
        const bad = [...fixed, ...check(after)];
        if (bad.length > 0) {
          const known = bad.every((k) => identityProperties.includes(k));
          throw invalidProperties(bad, known ? `can't be changed so: ${bad}` : `unknown: ${bad}`);
        }
        const { id: _id, mayDelete: _mayDelete, ...kept } = after;
        await objects.put(account, "identity", number, { ...kept, ofAddress });
        return null;
      },
      async destroy(id) {
        const { number, value } = find(id);
        if (value.ofAddress) {
          throw new SetError("forbidden", "this identity goes with its address only");
        }
        await objects.remove(account, "identity", number);
      },
    });
  },
});
