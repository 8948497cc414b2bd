/**
 * Addresses and their resources:
 *
 * - `principals/ACCOUNT/`
 * - `calendars/ACCOUNT/NAME/OBJECT`, with `inbox` and `outbox` among the names
 * - `addressbooks/ACCOUNT/NAME/OBJECT`
 *
 * @module
 */
import type { Groupware } from "../../store/groupware/groupware.ts";
import type { Collection, Home, ObjectRow } from "../../store/groupware/types.ts";
import { DavError } from "./errors.ts";

/** The requesting user, and the service. */
export interface Context {
  /** Account of the user. */
  user: string;
  /** Address of the service, such as "/dav/". */
  base: string;
  /** Scheme and host as the client knows them. */
  origin: string;
  /**
   * Opens an account's collections, reduced to a guest's view for other accounts; undefined if there is no such
   * account.
   */
  open(account: string): Promise<Groupware | undefined>;
  /** Whether the user may know of another account. */
  knows(account: string): boolean;
}

/** A user's rights on a resource. */
export type Rights = "owner" | "write" | "read";

/** A place in the home of an account. */
interface InAccount {
  account: string;
  g: Groupware;
  rights: Rights;
}

export type Resource =
  | { kind: "root" }
  | { kind: "principals" }
  | { kind: "homes"; home: Home }
  | { kind: "principal"; account: string; rights: Rights }
  | ({ kind: "home"; home: Home } & InAccount)
  | ({ kind: "collection"; home: Home; collection: Collection } & InAccount)
  | ({ kind: "object"; home: Home; collection: Collection; object: ObjectRow } & InAccount)
  /** Nothing exists there, but something could: in a home, or in a collection. */
  | ({ kind: "noCollection"; home: Home; name: string } & InAccount)
  | ({ kind: "noObject"; home: Home; collection: Collection; name: string } & InAccount)
  /** Nothing exists there, and nothing can until its parent exists. */
  | { kind: "nothing"; parentMissing: boolean };

export type CollectionResource = Extract<Resource, { kind: "collection" }>;
export type ObjectResource = Extract<Resource, { kind: "object" }>;
export type HomeResource = Extract<Resource, { kind: "home" }>;

/** Most bytes of a name in an address. */
const maxName = 255;

/** Segments of a path below the service, decoded; whether it ends with a slash. @throws DavError 400 */
export function segmentsOf(path: string): string[] {
  const words = path.split("/").filter((w) => w !== "");
  return words.map((w) => {
    let s: string;
    try {
      s = decodeURIComponent(w);
    } catch {
      throw new DavError(400, "bad percent-encoding in the address");
    }
    // deno-lint-ignore no-control-regex -- names end up in logs and lists
    if (/[\x00-\x1f\x7f/\\]/.test(s) || s === "." || s === "..") {
      throw new DavError(403, "such a name is not taken");
    }
    return s;
  });
}

/** Whether a name may be given to something new. */
export function checkNewName(name: string): void {
  if (new TextEncoder().encode(name).length > maxName) {
    throw new DavError(403, `a name has at most ${maxName} bytes`);
  }
}

/** Address of a resource, with its slashes. */
export function pathOf(base: string, ...segments: string[]): string {
  return base + segments.map((s) => `${encodeSegment(s)}/`).join("");
}

/** A segment of an address. "@" and the like stay readable, as clients compare addresses as text. */
export function encodeSegment(s: string): string {
  return encodeURIComponent(s).replace(
    /%(?:40|3A|2C|3B|3D|24|26|2B)/g,
    (m) => decodeURIComponent(m),
  );
}

/** Address of a resource. */
export function addressOf(base: string, resource: Resource): string {
  switch (resource.kind) {
    case "root":
    case "nothing":
      return base;
    case "principals":
      return pathOf(base, "principals");
    case "homes":
      return pathOf(base, resource.home);
    case "principal":
      return pathOf(base, "principals", resource.account);
    case "home":
      return pathOf(base, resource.home, resource.account);
    case "collection":
      return pathOf(base, resource.home, resource.account, resource.collection.name);
    case "object":
      return pathOf(base, resource.home, resource.account, resource.collection.name) +
        encodeSegment(resource.object.name);
    case "noCollection":
      return pathOf(base, resource.home, resource.account, resource.name);
    case "noObject":
      return pathOf(base, resource.home, resource.account, resource.collection.name) +
        encodeSegment(resource.name);
  }
}

/** The rights of a user on a collection of an account; undefined for none. */
function rightsOn(
  ctx: Context,
  account: string,
  groupware: Groupware,
  collection: Collection,
): Rights | undefined {
  if (account === ctx.user) return "owner";
  return collection.kind === "inbox" || collection.kind === "outbox"
    ? undefined
    : groupware.rightsOf(collection.id, ctx.user);
}

/** An object of a collection. A reduced object can't be written back: it is read-only. */
export function objectIn(
  collection: Omit<CollectionResource, "kind">,
  object: ObjectRow,
): ObjectResource {
  const rights = object.reduced === true ? "read" : collection.rights;
  return { ...collection, kind: "object", object, rights };
}

/**
 * The resource at a path below the service. Resources hidden from the user count as missing.
 * @throws DavError 400, 403
 */
export async function resolve(ctx: Context, path: string): Promise<Resource> {
  const [top, account, name, object, ...rest] = segmentsOf(path);
  const nothing = (parentMissing: boolean): Resource => ({ kind: "nothing", parentMissing });
  if (top === undefined) return { kind: "root" };
  if (top !== "principals" && top !== "calendars" && top !== "addressbooks") {
    return nothing(account !== undefined);
  }
  if (account === undefined) {
    return top === "principals" ? { kind: "principals" } : { kind: "homes", home: top };
  }
  if (!ctx.knows(account)) return nothing(name !== undefined);
  const own = account === ctx.user;
  const ofHome: Rights = own ? "owner" : "read";
  if (top === "principals") {
    return name === undefined ? { kind: "principal", account, rights: ofHome } : nothing(true);
  }
  const g = await ctx.open(account);
  if (g === undefined) return nothing(name !== undefined);
  const place = { account, g, rights: ofHome };
  const home = top;
  if (name === undefined) return { kind: "home", home, ...place };
  const collection = g.collection(home, name);
  const rights = collection && rightsOn(ctx, account, g, collection);
  if (collection === undefined || rights === undefined) {
    if (object !== undefined) return nothing(true);
    return own ? { kind: "noCollection", home, name, ...place } : nothing(false);
  }
  if (object === undefined) return { kind: "collection", home, collection, account, g, rights };
  if (rest.length > 0) return nothing(true);
  const row = g.object(collection.id, object);
  return row === undefined
    ? { kind: "noObject", home, collection, name: object, account, g, rights }
    : objectIn({ home, collection, account, g, rights }, row);
}

/** The path below the service for an address given by a client; undefined if it is elsewhere. */
export function pathBelow(ctx: Context, address: string): string | undefined {
  const url = URL.parse(address.trim(), ctx.origin);
  if (url === null || url.origin !== ctx.origin && hostOf(url) !== hostOf(new URL(ctx.origin))) {
    return undefined;
  }
  if (`${url.pathname}/` === ctx.base) return "/";
  return url.pathname.startsWith(ctx.base) ? url.pathname.slice(ctx.base.length - 1) : undefined;
}

/** Behind an unknown proxy the scheme may differ. */
const hostOf = (url: URL) => url.host.replace(/:(?:80|443)$/, "").toLowerCase();

/** The children of a resource: collections of a home, objects of a collection. */
export async function* childrenOf(ctx: Context, resource: Resource): AsyncGenerator<Resource> {
  switch (resource.kind) {
    case "root":
      yield { kind: "principals" };
      yield { kind: "homes", home: "calendars" };
      yield { kind: "homes", home: "addressbooks" };
      break;
    case "principals":
    case "homes": {
      const place = { account: ctx.user, rights: "owner" as const };
      if (resource.kind === "principals") {
        yield { kind: "principal", ...place };
        break;
      }
      const g = await ctx.open(ctx.user);
      if (g !== undefined) yield { kind: "home", home: resource.home, g, ...place };
      break;
    }
    case "home":
      for (const collection of resource.g.collections(resource.home)) {
        const rights = rightsOn(ctx, resource.account, resource.g, collection);
        if (rights !== undefined) yield { ...resource, kind: "collection", collection, rights };
      }
      break;
    case "collection": {
      // In pieces, so that nothing is blocked for long.
      for (let after = "";;) {
        const rows = resource.g.objects(resource.collection.id, after, 500);
        for (const object of rows) yield objectIn(resource, object);
        if (rows.length < 500) return;
        after = rows.at(-1)!.name;
      }
    }
  }
}
