/** Principal/query (RFC 9670 §2.4): conditions. @module */
import { MethodError } from "../core/errors.ts";
import { accountIdOf } from "../core/access.ts";
import type { User } from "../core/method.ts";
import { type Comparator, meets, readFilter } from "../core/query.ts";
import type { JmapServices } from "../services.ts";
import { principals } from "./principals.ts";

type Json = Record<string, unknown>;

/** Conditions whose value is a text. */
const texts = ["email", "name", "text", "type", "timeZone", "calendarAddress"];

function condition(json: Json): Json {
  for (const [k, value] of Object.entries(json)) {
    const good = k === "accountIds"
      ? Array.isArray(value) && value.every((x) => typeof x === "string")
      : texts.includes(k) && typeof value === "string";
    if (good) continue;
    const known = k === "accountIds" || texts.includes(k);
    throw new MethodError(
      known ? "invalidArguments" : "unsupportedFilter",
      `filter: ${k.slice(0, 100)} can't be so`,
    );
  }
  return json;
}

const has = (x: unknown, word: unknown) =>
  typeof x === "string" && x.toLowerCase().includes(String(word).toLowerCase());

/** Whether an address is one of a principal's (jmap-calendars §2.3). */
function hasAddress(services: JmapServices, p: Json, uri: unknown): boolean {
  const address = String(uri).replace(/^mailto:/i, "").toLowerCase();
  const account = [...services.config.dynamic.Accounts.keys()].find((n) => accountIdOf(n) === p.id);
  return account !== undefined &&
    services.config.accountAddresses(account).some((a) => a.toLowerCase() === address);
}

function right(services: JmapServices, p: Json, c: Json): boolean {
  return Object.entries(c).every(([k, value]) => {
    switch (k) {
      case "accountIds":
        return (value as string[]).some((id) => Object.hasOwn(p.accounts as Json ?? {}, id));
      case "text":
        return [p.name, p.email, p.description].some((x) => has(x, value));
      case "calendarAddress":
        return hasAddress(services, p, value);
      case "type":
      case "timeZone":
        return p[k] === value;
      default:
        return has(p[k], value);
    }
  });
}

/** Ids of the principals that match a filter, by name. @throws MethodError */
export function queryPrincipals(
  services: JmapServices,
  user: User,
  args: { filter?: Json | null; sort?: Comparator[] | null },
): string[] {
  const filter = readFilter(args.filter, condition);
  const found = [...principals(services, user).values()].filter((p) =>
    meets(filter, (c) => right(services, p, c))
  );
  const sort = args.sort?.length ? args.sort : [{ property: "name", isAscending: true }];
  for (const { property } of sort) {
    if (property !== "name" && property !== "email") {
      throw new MethodError(
        "unsupportedSort",
        `principals can't be sorted by ${property.slice(0, 100)}`,
      );
    }
  }
  found.sort((a, b) => {
    for (const { property, isAscending } of sort) {
      const [x, y] = [a, b].map((p) => String(p[property] ?? "").toLowerCase());
      if (x !== y) return (x < y ? -1 : 1) * (isAscending ? 1 : -1);
    }
    return 0;
  });
  return found.map((p) => p.id as string);
}
