/** ContactCard/query (RFC 9610 §3.3): conditions and orders of cards. @module */
import type { JsonObject } from "../../mail/jscontact/schema.ts";
import { giveWay } from "../../platform/turns.ts";
import type { ObjectRow } from "../../store/groupware/types.ts";
import { MethodError } from "../core/errors.ts";
import { type Comparator, type FilterTree, meets, readFilter } from "../core/query.ts";
import { dateMs } from "../core/types.ts";
import { wordsOf } from "../core/words.ts";
import { idOf, numberOf, shownCollections, type View } from "../groupware/collections.ts";
import { contactObject } from "./cards.ts";

const obj = (x: unknown): JsonObject =>
  typeof x === "object" && x !== null && !Array.isArray(x) ? x as JsonObject : {};
const values = (x: unknown): JsonObject[] => Object.values(obj(x)).map(obj);
const str = (x: unknown): string[] => typeof x === "string" ? [x] : [];

const componentsOf = (card: JsonObject, kind: string): string[] => {
  const list = obj(card.name).components;
  return (Array.isArray(list) ? list.map(obj) : []).filter((c) => c.kind === kind)
    .flatMap((c) => str(c.value));
};
const allComponents = (x: JsonObject): string[] =>
  (Array.isArray(x.components) ? x.components.map(obj) : []).flatMap((c) => str(c.value));

/** The texts that a condition compares. */
const texts: Record<string, (card: JsonObject) => string[]> = {
  name: (c) => [...str(obj(c.name).full), ...allComponents(obj(c.name))],
  "name/given": (c) => componentsOf(c, "given"),
  "name/surname": (c) => componentsOf(c, "surname"),
  "name/surname2": (c) => componentsOf(c, "surname2"),
  nickname: (c) => values(c.nicknames).flatMap((x) => str(x.name)),
  organization: (object) =>
    values(object.organizations).flatMap((x) => [
      ...str(x.name),
      ...(Array.isArray(x.units) ? x.units.flatMap((u) => str(obj(u).name)) : []),
    ]),
  email: (c) => values(c.emails).flatMap((x) => [...str(x.address), ...str(x.label)]),
  phone: (c) => values(c.phones).flatMap((x) => [...str(x.number), ...str(x.label)]),
  onlineService: (object) =>
    values(object.onlineServices).flatMap((x) => [
      ...str(x.service),
      ...str(x.uri),
      ...str(x.user),
      ...str(x.label),
    ]),
  address: (c) => values(c.addresses).flatMap((x) => [...str(x.full), ...allComponents(x)]),
  note: (c) => values(c.notes).flatMap((x) => str(x.note)),
};
const moreTexts = (object: JsonObject): string[] => [
  ...Object.keys(obj(object.keywords)),
  ...values(object.titles).flatMap((x) => str(x.name)),
];

type Condition = { name: string; test: (card: JsonObject, row: ObjectRow) => boolean };

/** Reads one condition: all of its properties must match. */
function readCondition(object: JsonObject): Condition[] {
  return Object.entries(object).map(([name, value]) => {
    const wrong = () =>
      new MethodError("invalidArguments", `filter: ${name.slice(0, 100)} can't be so`);
    const time = (of: "created" | "updated", after: boolean) => {
      const at = typeof value === "string" ? dateMs(value) : undefined;
      if (at === undefined) throw wrong();
      return (card: JsonObject, row: ObjectRow) => {
        const t = timeOf(card, row, of);
        return after ? t >= at : t < at;
      };
    };
    if (typeof value !== "string") throw wrong();
    switch (name) {
      case "inAddressBook": {
        const n = numberOf("addressbooks", "collection", value);
        return { name, test: (_card, row) => row.collectionId === n };
      }
      case "uid":
        return { name, test: (card) => card.uid === value };
      case "hasMember":
        return { name, test: (card) => Object.hasOwn(obj(card.members), value) };
      case "kind":
        return { name, test: (card) => (card.kind ?? "individual") === value };
      case "createdBefore":
        return { name, test: time("created", false) };
      case "createdAfter":
        return { name, test: time("created", true) };
      case "updatedBefore":
        return { name, test: time("updated", false) };
      case "updatedAfter":
        return { name, test: time("updated", true) };
      case "text": {
        const words = wordsOf(value);
        return {
          name,
          test: (card) => {
            const all = [...Object.values(texts).flatMap((f) => f(card)), ...moreTexts(card)]
              .join("\n").toLowerCase();
            return words.every((w) => all.includes(w));
          },
        };
      }
    }
    if (!Object.hasOwn(texts, name)) {
      throw new MethodError("unsupportedFilter", `there is no condition ${name.slice(0, 100)}`);
    }
    const words = wordsOf(value);
    return {
      name,
      test: (card) => {
        const list = texts[name](card).map((s) => s.toLowerCase());
        return words.every((w) => list.some((s) => s.includes(w)));
      },
    };
  });
}

function timeOf(card: JsonObject, row: ObjectRow, of: "created" | "updated"): number {
  const said = card[of];
  const at = typeof said === "string" ? dateMs(said) : undefined;
  return at ?? (of === "created" ? row.created : row.modified);
}

/** Properties that cards can be sorted by. */
export const contactSorts = ["created", "updated", "name/given", "name/surname", "name/surname2"];

function keyOf(card: JsonObject, row: ObjectRow, property: string): string | number {
  if (property === "created" || property === "updated") return timeOf(card, row, property);
  const kind = property.slice("name/".length);
  const sortAs = obj(obj(card.name).sortAs)[kind];
  return (typeof sortAs === "string" ? sortAs : componentsOf(card, kind).join(" ")).toLowerCase();
}

/** The cards that match a filter, in order. @throws MethodError */
export async function queryCards(
  view: View,
  args: { filter?: JsonObject | null; sort?: Comparator[] | null },
): Promise<string[]> {
  const filter: FilterTree<Condition[]> | undefined = readFilter(args.filter, readCondition);
  const sort = args.sort ?? [];
  for (const s of sort) {
    if (!contactSorts.includes(s.property)) {
      throw new MethodError(
        "unsupportedSort",
        `cards can't be sorted by ${s.property.slice(0, 100)}`,
      );
    }
    if (
      s.collation !== undefined && !["i;ascii-casemap", "i;unicode-casemap"].includes(s.collation)
    ) {
      throw new MethodError(
        "unsupportedSort",
        `there is no collation ${s.collation.slice(0, 100)}`,
      );
    }
  }
  const rowsAlone = filter === undefined && sort.length === 0;
  const found: { id: string; keys: (string | number)[] }[] = [];
  for (const c of shownCollections(view)) {
    for (let after = "";;) {
      const rows = view.g.objects(c.id, after, 500);
      for (const row of rows) {
        await giveWay();
        const id = idOf("addressbooks", "object", row.id);
        if (rowsAlone) {
          found.push({ id, keys: [] });
          continue;
        }
        const card = await contactObject(view, row, withoutMedia).catch(() => ({}));
        if (!meets(filter, (list) => list.every((x) => x.test(card, row)))) continue;
        found.push({ id, keys: sort.map((s) => keyOf(card, row, s.property)) });
      }
      if (rows.length < 500) break;
      after = rows.at(-1)!.name;
    }
  }
  found.sort((a, b) => {
    for (const [i, s] of sort.entries()) {
      const [x, y] = [a.keys[i], b.keys[i]];
      if (x !== y) return (x < y ? -1 : 1) * (s.isAscending ? 1 : -1);
    }
    return Number(a.id.slice(1)) - Number(b.id.slice(1));
  });
  return found.map((f) => f.id);
}

const withoutMedia: ReadonlySet<string> = new Set([
  "uid",
  "kind",
  "members",
  "created",
  "updated",
  "name",
  "nicknames",
  "organizations",
  "emails",
  "phones",
  "onlineServices",
  "addresses",
  "notes",
  "keywords",
  "titles",
]);
