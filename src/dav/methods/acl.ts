/** ACL (RFC 3744 §8.1): who else may read or change a calendar or address book. @module */
import { allowed } from "../core/allow.ts";
import { davCondition, DavError } from "../core/errors.ts";
import { type Method, xmlBody } from "../request/request.ts";
import { pathBelow, resolve } from "../core/resources.ts";
import { storeError } from "../writing/store_object.ts";
import { notHere, requireRights, requireThere } from "../core/there.ts";
import { displayNameOf } from "../properties/people.ts";
import { child, children, textOf } from "../xml/parse.ts";
import { DAV } from "../xml/write.ts";

/** Most entries of an ACL request (RFC 3744 §8.1). */
const maxAces = 200;
const writing = new Set(["write", "write-content", "bind", "unbind", "all", "write-properties"]);

export const acl: Method = {
  name: "ACL",
  async run(request) {
    const { r, p } = request;
    requireThere(r);
    if (
      r.kind !== "collection" || r.collection.kind !== "calendar" &&
        r.collection.kind !== "addressbook"
    ) throw notHere(allowed(r));
    requireRights(p.ctx.base, r, "write-acl");
    const body = await xmlBody(request);
    if (body === undefined || body.ns !== DAV || body.name !== "acl") {
      throw new DavError(400, "the body has to be a DAV:acl");
    }
    const grants = new Map<string, "read" | "write">();
    for (const ace of children(body).filter((c) => c.name === "ace").slice(0, maxAces)) {
      if (child(ace, DAV, "deny")) {
        throw new DavError(403, "rights are granted, not denied", davCondition("grant-only"));
      }
      if (child(ace, DAV, "invert")) {
        throw new DavError(403, "rights are of those named", davCondition("no-invert"));
      }
      const principal = child(ace, DAV, "principal");
      const address = principal && child(principal, DAV, "href");
      if (address === undefined) {
        throw new DavError(
          403,
          "rights are given to people by their addresses",
          davCondition("allowed-principal"),
        );
      }
      const path = pathBelow(p.ctx, textOf(address));
      const who = path === undefined ? undefined : await resolve(p.ctx, path);
      if (who?.kind !== "principal") {
        throw new DavError(
          403,
          "there is nobody of this address",
          davCondition("recognized-principal"),
        );
      }
      if (who.account === r.account) continue;
      const grant = child(ace, DAV, "grant");
      const names = grant === undefined ? [] : children(grant).flatMap((x) => children(x))
        .map((x) => x.name);
      if (names.some((n) => writing.has(n))) grants.set(who.account, "write");
      else if (names.includes("read")) {
        if (grants.get(who.account) !== "write") grants.set(who.account, "read");
      } else {
        throw new DavError(
          403,
          "rights are read and write",
          davCondition("not-supported-privilege"),
        );
      }
    }
    // The index of shares is written first, so that no entry is missing after a crash.
    for (const account of grants.keys()) await p.s.sharing.add(r.account, account);
    const before = new Map(r.g.grants(r.collection.id).map((x) => [x.account, x.rights]));
    try {
      await r.g.setGrants(
        r.collection.id,
        [...grants].map(([account, rights]) => ({ account, rights })),
      );
    } catch (err) {
      throw storeError(err, p.ctx.base, r);
    }
    for (const account of new Set([...before.keys(), ...grants.keys()])) {
      await p.s.sharing.changed({
        owner: r.account,
        by: { account: p.ctx.user, login: "" },
        type: r.home === "calendars" ? "Calendar" : "AddressBook",
        id: r.collection.id,
        name: displayNameOf(p, r),
        account,
        before: before.get(account) ?? "",
        after: grants.get(account) ?? "",
      });
    }
    return new Response(null, { status: 200, headers: { "Content-Length": "0" } });
  },
};
