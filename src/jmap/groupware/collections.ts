/**
 * Address books and calendars of an account as visible to a user: ids, rights, states and changes, shared by
 * JMAP for contacts and for calendars.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { guestView } from "../../groupware/guest_view.ts";
import type { Groupware } from "../../store/groupware/groupware.ts";
import type { Collection, Home, ObjectRow } from "../../store/groupware/types.ts";
import { cannotCalculate, type ChangesResponse, changesResponse } from "../core/changes.ts";
import { SetError } from "../core/errors.ts";
import type { Access } from "../core/method.ts";
import type { ObjectStore } from "../objects/store.ts";
import { OwnLooks } from "./own_looks.ts";

/** First letter of ids. */
const letters = {
  addressbooks: { collection: "A", object: "K" },
  calendars: { collection: "C", object: "E" },
} as const;

export type Kind = "collection" | "object";

/** Groupware of an account for one user and one home. */
export interface View {
  g: Groupware;
  home: Home;
  access: Access;
  /** What the user sets for themselves, in another's account. */
  mine?: OwnLooks;
}

/**
 * Opens the address books or calendars of an account.
 * @param objects for methods about the collections: they have properties of each user's own
 */
export async function groupwareView(
  access: Access,
  home: Home,
  objects?: ObjectStore,
): Promise<View> {
  const g = await access.account.groupware();
  if (access.own) return { g, home, access };
  const mine = objects === undefined ? {} : { mine: new OwnLooks(objects, access) };
  return { g: await guestView(g), home, access, ...mine };
}

export function idOf(home: Home, kind: Kind, n: number): string {
  return letters[home][kind] + n;
}

/** The number of an id; undefined for other ids. */
export function numberOf(home: Home, kind: Kind, id: string): number | undefined {
  return id[0] === letters[home][kind] && /^[1-9]\d{0,14}$/.test(id.slice(1))
    ? Number(id.slice(1))
    : undefined;
}

export type Rights = "owner" | "write" | "read";

/** The user's rights on a collection; undefined if it is not visible to the user. */
export function rightsIn(view: View, collection: Collection): Rights | undefined {
  if (
    collection.home !== view.home ||
    collection.kind !== "calendar" && collection.kind !== "addressbook"
  ) return undefined;
  return view.access.own ? "owner" : view.g.rightsOf(collection.id, view.access.user.account);
}

/** The collections that the user may see. */
export function shownCollections(view: View): Collection[] {
  return view.g.collections(view.home).filter((c) => rightsIn(view, c) !== undefined);
}

/** A collection by its id; undefined if the user can't see it. */
export function collectionOfId(view: View, id: string): Collection | undefined {
  const n = numberOf(view.home, "collection", id);
  const c = n === undefined ? undefined : view.g.collectionById(n);
  return c && rightsIn(view, c) !== undefined ? c : undefined;
}

/** An object by its id, with its collection; undefined if the user can't see it. */
export function objectOfId(
  view: View,
  id: string,
): { row: ObjectRow; collection: Collection } | undefined {
  const n = numberOf(view.home, "object", id);
  const row = n === undefined ? undefined : view.g.objectById(n);
  const collection = row && view.g.collectionById(row.collectionId);
  return row && collection && rightsIn(view, collection) !== undefined
    ? { row, collection }
    : undefined;
}

/** @throws SetError forbidden */
export function requireWrite(view: View, collection: Collection): void {
  const rights = rightsIn(view, collection);
  if (rights !== "owner" && rights !== "write") {
    throw new SetError("forbidden", "you may read this, and not change it");
  }
}

/** @throws SetError forbidden */
export function requireOwner(view: View): void {
  if (!view.access.own) throw new SetError("forbidden", "only its owner may do that");
}

/** Identifies the collections that a user of another account may see: states refer to these. */
function prefix(view: View): string {
  if (view.access.own) return "";
  const shown = shownCollections(view).map((c) => `${c.id} ${rightsIn(view, c)}`).join(",");
  return `${createHash("sha256").update(shown).digest("hex").slice(0, 12)}_`;
}

/** The state of the collections, or of the objects, that a user may see. */
export function groupwareState(view: View, kind: Kind): string {
  return prefix(view) + view.g.stateOf(view.home, kind) + suffix(view, kind);
}

/** The state of what a user sets for themselves on collections of another account. */
function suffix(view: View, kind: Kind): string {
  const state = kind === "collection" ? view.mine?.state ?? 0 : 0;
  return state === 0 ? "" : `.${state}`;
}

/** Additions, changes and removals since an issued state; undefined if unknown. */
export function eventsOf(view: View, kind: Kind, state: string) {
  const before = prefix(view);
  const rest = state.startsWith(before) ? state.slice(before.length) : "";
  const m = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(rest);
  if (!m) return undefined;
  const shown = new Set(shownCollections(view).map((c) => c.id));
  const [modseq, upTo] = [Number(m[1]), m[2] === undefined ? Infinity : Number(m[2])];
  // For a state within one modseq (a calendar removed with its events) the later ones must still be reported.
  const from = upTo === Infinity ? modseq : modseq - 1;
  const only = view.home === "calendars" ? "VEVENT" : undefined;
  const events = view.g.eventsSince(view.home, kind, from, (id) => shown.has(id), only)
    ?.filter((e) => e.modseq > modseq || e.id > upTo)
    .map((e) => ({ kind: e.kind, modseq: e.modseq, order: e.id }));
  return events && { events, before };
}

/** The response to /changes. @throws MethodError cannotCalculateChanges */
export function groupwareChanges(
  view: View,
  kind: Kind,
  args: { accountId: string; sinceState: string; maxChanges?: number | null },
): Record<string, unknown> {
  const [, sinceState, looks] = /^(.*?)(?:\.(\d{1,15}))?$/.exec(args.sinceState) ?? [];
  const found = sinceState === undefined ? undefined : eventsOf(view, kind, sinceState);
  if (found === undefined) throw cannotCalculate();
  const now = view.g.stateOf(view.home, kind);
  const r = changesResponse(args, found.events, now, (n) => idOf(view.home, kind, n));
  return withOwnLooks(view, kind, args, { ...r, newState: found.before + r.newState }, looks);
}

/** The same response with the collections of which the user has changed what is theirs. */
function withOwnLooks(
  view: View,
  kind: Kind,
  args: { sinceState: string; maxChanges?: number | null },
  r: ChangesResponse,
  looks: string | undefined,
): ChangesResponse {
  const response = { ...r, oldState: args.sinceState };
  const since = Number(looks ?? 0);
  const changed = kind === "collection" && view.mine ? view.mine.since(since) : [];
  if (changed === undefined || view.mine === undefined && looks !== undefined) {
    throw cannotCalculate();
  }
  const told = new Set([...r.created, ...r.updated, ...r.destroyed]);
  const more = [...new Set(changed)].map((n) => idOf(view.home, kind, n))
    .filter((id) => !told.has(id) && collectionOfId(view, id) !== undefined);
  // What the owner changed is told first; the user's own follows with the last of it.
  const fits = told.size + more.length <= (args.maxChanges ?? Infinity);
  if (r.hasMoreChanges || !fits) {
    if (!r.hasMoreChanges && told.size === 0) throw cannotCalculate();
    const newState = since === 0 ? r.newState : `${r.newState}.${since}`;
    return { ...response, newState, hasMoreChanges: true };
  }
  return {
    ...response,
    newState: r.newState + suffix(view, kind),
    updated: [...r.updated, ...more],
  };
}
