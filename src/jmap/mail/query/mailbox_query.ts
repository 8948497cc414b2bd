/** Finding and ordering mailboxes (RFC 8621 §2.3). @module */
import * as v from "valibot";
import { MethodError } from "../../core/errors.ts";
import { type Comparator, type FilterTree, meets, readFilter } from "../../core/query.ts";
import { complaint, id } from "../../core/types.ts";
import { compareTexts, isCollation } from "./collation.ts";

const condition = v.strictObject({
  parentId: v.optional(v.nullable(id)),
  name: v.optional(v.string()),
  role: v.optional(v.nullable(v.string())),
  hasAnyRole: v.optional(v.boolean()),
  isSubscribed: v.optional(v.boolean()),
});
type Condition = v.InferOutput<typeof condition>;

type MailboxObject = Record<string, unknown>;

/** Reads one condition. @throws MethodError */
export function readCondition<S extends v.GenericSchema<unknown, unknown>>(
  schema: S & { entries: Record<string, unknown> },
  given: Record<string, unknown>,
): v.InferOutput<S> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(schema.entries, name)) {
      throw new MethodError("unsupportedFilter", `there is no filter ${name.slice(0, 200)}`);
    }
  }
  const parsed = v.safeParse(schema, given);
  if (parsed.success) return parsed.output;
  throw new MethodError("invalidArguments", `filter: ${complaint(parsed.issues[0])}`);
}

function fits(object: MailboxObject, c: Condition): boolean {
  if (c.parentId !== undefined && object.parentId !== c.parentId) return false;
  if (
    c.name !== undefined &&
    !(object.name as string).toLowerCase().includes(c.name.normalize("NFC").toLowerCase())
  ) return false;
  if (c.role !== undefined && object.role !== c.role) return false;
  if (c.hasAnyRole !== undefined && (object.role !== null) !== c.hasAnyRole) return false;
  return c.isSubscribed === undefined || object.isSubscribed === c.isSubscribed;
}

/** A query of mailboxes. */
export interface MailboxQuery {
  filter?: Record<string, unknown> | null;
  sort?: Comparator[] | null;
  sortAsTree?: boolean | null;
  filterAsTree?: boolean | null;
}

/** Ids of the matching mailboxes, in order. @throws MethodError */
export function queryMailboxes(
  objects: ReadonlyMap<string, MailboxObject>,
  query: MailboxQuery,
): string[] {
  const filter: FilterTree<Condition> | undefined = readFilter(
    query.filter,
    (c) => readCondition(condition, c),
  );
  const compare = comparison(query.sort ?? []);
  const all = [...objects.values()].sort(compare);
  const ordered = query.sortAsTree ? asTree(all) : all;
  const passed = new Map<string, boolean>();
  const passes = (object: MailboxObject): boolean => {
    const known = passed.get(object.id as string);
    if (known !== undefined) return known;
    const parent = object.parentId === null ? undefined : objects.get(object.parentId as string);
    const r = meets(filter, (c) => fits(object, c)) &&
      (!query.filterAsTree || parent === undefined || passes(parent));
    passed.set(object.id as string, r);
    return r;
  };
  return ordered.filter(passes).map((m) => m.id as string);
}

function comparison(sort: readonly Comparator[]): (a: MailboxObject, b: MailboxObject) => number {
  for (const c of sort) {
    if (!["name", "sortOrder", "parentId"].includes(c.property)) {
      throw new MethodError(
        "unsupportedSort",
        `mailboxes can't be sorted by ${c.property.slice(0, 200)}`,
      );
    }
    if (c.collation !== undefined && !isCollation(c.collation)) {
      throw new MethodError(
        "unsupportedSort",
        `there is no collation ${c.collation.slice(0, 200)}`,
      );
    }
  }
  return (object, b) => {
    for (const c of sort) {
      const [x, y] = [object[c.property], b[c.property]];
      const d = c.property === "sortOrder"
        ? (x as number) - (y as number)
        : compareTexts(String(x ?? ""), String(y ?? ""), c.collation);
      if (d !== 0) return c.isAscending ? d : -d;
    }
    return 0;
  };
}

/** Each mailbox after its parent; within one level the order stays. */
function asTree(sorted: readonly MailboxObject[]): MailboxObject[] {
  const children = new Map<unknown, MailboxObject[]>();
  for (const m of sorted) {
    const list = children.get(m.parentId);
    if (list) list.push(m);
    else children.set(m.parentId, [m]);
  }
  const out: MailboxObject[] = [];
  const walk = (parent: unknown) => {
    for (const m of children.get(parent) ?? []) {
      out.push(m);
      walk(m.id);
    }
  };
  walk(null);
  return out;
}
