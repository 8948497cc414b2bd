/** AddressBook/set (RFC 9610 §2.3) and Calendar/set: what clients may create, change and remove. @module */
import {
  type CollectionSettings,
  collectionSettings,
  lookProperties,
  settingsChange,
  textElement,
} from "../../groupware/collection_looks.ts";
import { setDefault } from "../../groupware/default_calendar.ts";
import { namedZone } from "../../mail/calendar/zones.ts";
import { hexOf } from "../../mail/jscalendar/colors.ts";
import { eventProblems } from "../../mail/jscalendar/schema.ts";
import { type Collection, GroupwareError } from "../../store/groupware/types.ts";
import { accountIdOf } from "../core/access.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { MethodContext } from "../core/method.ts";
import { applyPatch, sameJson } from "../core/patch.ts";
import { notFound, resolveId, runSet, type SetArgs } from "../core/set.ts";
import { noteShares } from "../principals/share_notifications.ts";
import {
  bookProperties,
  calendarProperties,
  collectionObjects,
  rightsObject,
} from "./collection_object.ts";
import {
  collectionOfId,
  groupwareState,
  idOf,
  requireOwner,
  shownCollections,
  type View,
} from "./collections.ts";
import { ownProperties } from "./own_looks.ts";

/** Most characters of a description. */
const maxDescription = 10_000;
/** Most characters of the alerts of a calendar, as JSON. */
const maxAlerts = 20_000;
const maxShares = 200;

type Json = Record<string, unknown>;
const isObject = (x: unknown): x is Json =>
  typeof x === "object" && x !== null && !Array.isArray(x);
const isBoolean = (x: unknown) => typeof x === "boolean";

/** Alerts of JSCalendar, all relative to the event (jmap-calendars §4). */
function isAlerts(x: unknown): boolean {
  if (x === null) return true;
  if (!isObject(x) || JSON.stringify(x).length > maxAlerts) return false;
  const isAbsolute = (a: unknown) =>
    isObject(a) && isObject(a.trigger) && a.trigger["@type"] === "AbsoluteTrigger";
  return !Object.values(x).some(isAbsolute) &&
    eventProblems({ start: "2000-01-01T00:00:00", alerts: x }).length === 0;
}

const alertNames = ["defaultAlertsWithTime", "defaultAlertsWithoutTime"];

/** Ids of default alerts are unique within an account. @throws SetError invalidProperties */
function checkAlertIds(view: View, values: Json, id?: string): void {
  const taken = new Set<string>();
  for (const [other, o] of collectionObjects(view)) {
    for (const name of alertNames) {
      if (other === id && name in values) continue;
      for (const k of Object.keys(o[name] ?? {})) taken.add(k);
    }
  }
  for (const name of alertNames) {
    for (const k of Object.keys(values[name] ?? {})) {
      if (taken.has(k)) throw invalidProperties([name], `an alert with the id ${k} is there`);
      taken.add(k);
    }
  }
}

/** Whether a value is valid. */
const checks: Record<string, (x: unknown) => boolean> = {
  name: (x) =>
    typeof x === "string" && x.trim() !== "" && new TextEncoder().encode(x).length <= 255,
  description: (x) => x === null || typeof x === "string" && x.length <= maxDescription,
  sortOrder: (x) => Number.isInteger(x) && (x as number) >= 0 && (x as number) < 2 ** 31,
  isSubscribed: isBoolean,
  isVisible: isBoolean,
  color: (x) => x === null || hexOf(x) !== undefined,
  includeInAvailability: (x) => x === "all" || x === "attending" || x === "none",
  defaultAlertsWithTime: isAlerts,
  defaultAlertsWithoutTime: isAlerts,
  timeZone: (x) => x === null || typeof x === "string" && namedZone(x) !== undefined,
  shareWith: (x) => x === null || isObject(x) && Object.keys(x).length <= maxShares,
};

/** Names of accounts with their rights. @throws SetError invalidProperties */
function readShares(ctx: MethodContext, view: View, value: unknown) {
  const grants: { account: string; rights: "read" | "write" }[] = [];
  for (const [id, rights] of Object.entries(isObject(value) ? value : {})) {
    const account = [...ctx.s.config.dynamic.Accounts.keys()].find((n) => accountIdOf(n) === id);
    if (account === undefined || account === view.access.account.name) {
      throw invalidProperties(["shareWith"], `there is no principal ${id.slice(0, 100)}`);
    }
    if (!isObject(rights) || !Object.values(rights).every(isBoolean)) {
      throw invalidProperties(["shareWith"], "rights are an object of true and false");
    }
    if (rights.mayShare || rights.mayDelete) {
      throw invalidProperties(["shareWith"], "mayShare and mayDelete are the owner's alone");
    }
    const known = Object.keys(rightsObject(view, "read"));
    const unknown = Object.keys(rights).find((r) => !known.includes(r));
    if (unknown !== undefined) {
      throw invalidProperties(["shareWith"], `there is no right ${unknown.slice(0, 100)}`);
    }
    // jmap-calendars §4: who may write all may do all of these. Alone they would have to mean less.
    const parts = ["mayWriteOwn", "mayUpdatePrivate", "mayRSVP"];
    const writes = rights.mayWrite || rights.mayWriteAll;
    if (parts.some((r) => writes ? rights[r] === false : rights[r])) {
      throw invalidProperties(
        ["shareWith"],
        "mayWriteOwn, mayUpdatePrivate and mayRSVP are given with mayWriteAll alone",
      );
    }
    const reads = ["mayRead", "mayReadItems"];
    if (writes) grants.push({ account, rights: "write" });
    else if (reads.some((r) => rights[r])) grants.push({ account, rights: "read" });
    else if (rights.mayReadFreeBusy) {
      throw invalidProperties(
        ["shareWith"],
        "free and busy times are shared with all of the domain",
      );
    }
  }
  return grants;
}

/** The changes to store for values that differ from the old ones. */
function storedChanges(
  view: View,
  changed: Json,
  settings: CollectionSettings,
): [string, string | null][] {
  const list: [string, string | null][] = [];
  const books = view.home === "addressbooks";
  const look = (name: keyof typeof lookProperties, value: unknown) => {
    const key = lookProperties[name];
    list.push([key, value === null ? null : textElement(key, String(value))]);
  };
  const next = { ...settings };
  for (const [name, value] of Object.entries(changed)) {
    switch (name) {
      case "name":
        look("name", (value as string).trim());
        break;
      case "description":
        look(books ? "bookDescription" : "calendarDescription", value);
        break;
      case "sortOrder":
        look("order", value);
        break;
      case "color":
        look("color", value === null ? null : hexOf(value));
        break;
      case "timeZone":
        look("timeZone", value);
        break;
      case "includeInAvailability": {
        // CalDAV's form of it: whether the calendar's events make its owner busy.
        const key = lookProperties.transparency;
        const cal = 'xmlns="urn:ietf:params:xml:ns:caldav"';
        list.push([
          key,
          value === "none"
            ? `<schedule-calendar-transp ${cal}><transparent/></schedule-calendar-transp>`
            : null,
        ]);
        next.includeInAvailability = value as "all";
        break;
      }
      case "isSubscribed":
      case "isVisible":
        next[name] = value as boolean;
        break;
      case "defaultAlertsWithTime":
      case "defaultAlertsWithoutTime":
        next[name] = value as Json | null;
        break;
    }
  }
  if (!sameJson(next as Json, settings as Json)) list.push(settingsChange(next));
  return list;
}

function storeError(err: unknown): never {
  if (!(err instanceof GroupwareError)) throw err;
  switch (err.kind) {
    case "full":
      throw new SetError("overQuota", err.message);
    case "missing":
      throw notFound();
    default:
      throw new SetError("forbidden", err.message);
  }
}

/** Checks values that a client sets. @throws SetError invalidProperties */
function checkValues(view: View, values: Json): void {
  const known = view.home === "addressbooks" ? bookProperties : calendarProperties;
  const bad = Object.entries(values).filter(([k, x]) =>
    !known.includes(k) || !Object.hasOwn(checks, k) || !checks[k](x)
  ).map(([k]) => k);
  if (bad.length > 0) throw invalidProperties(bad, `can't be so: ${bad.join(", ").slice(0, 500)}`);
}

export interface CollectionSetArgs extends SetArgs {
  /** Also remove the contents. */
  removeContents: boolean;
  onSuccessSetIsDefault?: string | null;
}

/** Runs a /set of address books or calendars. */
export async function setCollections(
  ctx: MethodContext,
  view: View,
  args: CollectionSetArgs,
): Promise<Record<string, unknown>> {
  const { g } = view;
  const kind = view.home === "addressbooks" ? "addressbook" as const : "calendar" as const;
  const rights = (list: readonly { account: string; rights: "read" | "write" }[]) =>
    new Map(list.map((x) => [x.account, rightsObject(view, x.rights)]));
  const objectType = kind === "calendar" ? "Calendar" : "AddressBook";
  const share = async (collection: Collection, value: unknown) => {
    const grants = readShares(ctx, view, value);
    // The index of shares is written first, so that no entry is missing after a crash.
    for (const { account } of grants) await ctx.s.sharing.add(view.access.account.name, account);
    const before = rights(g.grants(collection.id));
    await g.setGrants(collection.id, grants);
    const id = idOf(view.home, "collection", collection.id);
    const name = String(collectionObjects(view).get(id)?.name ?? "");
    await noteShares(
      ctx.s,
      view.access.user,
      { objectType, objectId: id, name },
      before,
      rights(grants),
    );
  };
  const result = await runSet(ctx, args, {
    state: () => groupwareState(view, "collection"),
    async create(o) {
      requireOwner(view);
      if (o.name === undefined) throw invalidProperties(["name"], "name is missing");
      checkValues(view, o);
      checkAlertIds(view, o);
      readShares(ctx, view, o.shareWith);
      const { shareWith, ...values } = o;
      const properties = new Map(
        storedChanges(view, values, {}).filter((x): x is [string, string] => x[1] !== null),
      );
      try {
        // Calendars of JMAP have events alone: programs for tasks need not show them.
        const components = kind === "calendar" ? ["VEVENT"] : [];
        const c = await g.createCollection(kind, crypto.randomUUID(), { properties, components });
        if (isObject(shareWith)) await share(c, shareWith);
        const made = collectionObjects(view).get(idOf(view.home, "collection", c.id))!;
        return Object.fromEntries(
          Object.entries(made).filter(([k, x]) => !(k in o) || k === "color" && x !== o[k]),
        );
      } catch (err) {
        return storeError(err);
      }
    },
    async update(id, patch) {
      const c = collectionOfId(view, id);
      const before = collectionObjects(view).get(id);
      if (c === undefined || before === undefined) throw notFound();
      const after = applyPatch(before, patch);
      const changed = Object.fromEntries(
        Object.entries(after).filter(([k, x]) => !sameJson(x, before[k])),
      );
      if (Object.keys(changed).length === 0) return null;
      const own = view.mine &&
        Object.keys(changed).every((k) => ownProperties[view.home].includes(k));
      if (!own) requireOwner(view);
      checkValues(view, changed);
      checkAlertIds(view, changed, id);
      const color = "color" in changed ? hexOf(changed.color) ?? null : undefined;
      const told = color === undefined || color === changed.color ? null : { color };
      if (own && view.mine) {
        await view.mine.set(c, { ...changed, ...told });
        return told;
      }
      const { shareWith, ...values } = changed;
      try {
        const list = storedChanges(view, values, collectionSettings(g.properties(c.id)));
        if (shareWith !== undefined) await share(c, shareWith);
        if (list.length > 0) await g.setProperties(c.id, 0, list);
      } catch (err) {
        return storeError(err);
      }
      return told;
    },
    async destroy(id) {
      const c = collectionOfId(view, id);
      if (c === undefined) throw notFound();
      requireOwner(view);
      if (!args.removeContents && g.count(c.id) > 0) {
        throw new SetError(
          kind === "calendar" ? "calendarHasEvent" : "addressBookHasContents",
          "there is something in it",
        );
      }
      const before = rights(g.grants(c.id));
      const name = String(collectionObjects(view).get(id)?.name ?? "");
      await g.removeCollection(c.id).catch(storeError);
      await noteShares(
        ctx.s,
        view.access.user,
        { objectType, objectId: id, name },
        before,
        new Map(),
      );
    },
  });
  const chosen = args.onSuccessSetIsDefault;
  const failed = [result.notCreated, result.notUpdated, result.notDestroyed].some((x) =>
    x !== null
  );
  if (typeof chosen !== "string" || failed || !view.access.own) return result;
  const id = resolveId(ctx, chosen);
  const c = id === undefined ? undefined : collectionOfId(view, id);
  if (c === undefined) return result;
  const before = collectionObjects(view);
  await setDefault(g, c);
  const updated = { ...result.updated as Record<string, Json | null> | null };
  const created = result.created as Record<string, Json> | null;
  for (const x of shownCollections(view)) {
    const key = idOf(view.home, "collection", x.id);
    const isDefault = x.id === c.id;
    if (before.get(key)?.isDefault === isDefault) continue;
    const made = Object.values(created ?? {}).find((o) => o.id === key);
    if (made) made.isDefault = isDefault;
    else updated[key] = { ...updated[key], isDefault };
  }
  return {
    ...result,
    newState: groupwareState(view, "collection"),
    updated: Object.keys(updated).length === 0 ? null : updated,
  };
}
