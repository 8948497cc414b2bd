/**
 * Passwords of an LDAP directory (RFC 4511): somebody is looked up by the address that was typed, and then the server
 * logs in to the directory as that entry, with the password that was typed; or it reads the hash of the entry and
 * compares it. The protocol is ldapts's; connections go by the one way out.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Client, Entry } from "ldapts";
import { attributesInFilter, type LdapDirectory } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import { bareHost, type Outbound } from "../net/mod.ts";
import { rareModule } from "../platform/rare_modules.ts";
import { IdentityError } from "./errors.ts";
import type { Person } from "./openid.ts";

type Library = typeof import("./packages/ldap_package.ts");

const ldapLibrary = rareModule<Library>(new URL("./packages/ldap_package.ts", import.meta.url));

/** Milliseconds for an operation, and for all of a login. */
const operationTime = 5000;
const wholeTime = 12_000;
/** Bytes that a directory may send during a login. */
const maxAnswer = 1024 * 1024;
/** Bytes that it may send before TLS is started: the answer to the request for it. */
const maxBeforeTls = 64 * 1024;
/** RFC 4511 §4.5.1.8 */
const noAttributes = ["1.1"];
/** Concurrent logins; others wait for their turn. */
const maxRunning = 10;
const maxWaiting = 200;
/** Milliseconds for which a correct password isn't checked again: programs send it with each request. */
const rightFor = 60_000;
/** Values of the attribute with hashes that are compared with a password; an entry has one, or an old and a new one. */
const maxHashes = 4;
/** Filters that are tried for one group: an entry with more values of the attributes in it is refused. */
const maxCombinations = 8;
/** Cached logins; the oldest is removed first. */
const maxRemembered = 20_000;

export interface LdapOptions {
  /** Name in the configuration. */
  name: string;
  conf: LdapDirectory;
  /** Password of BindDN. */
  secret: string;
  outbound: Outbound;
  /**
   * Whether a password is that of a value of HashAttribute; undefined for one that can't be verified.
   * @param from the address that asks
   */
  verify: (password: string, value: string, from: string) => Promise<boolean | undefined>;
  log: Log;
  now?: () => number;
  /** Milliseconds for an operation; for tests. */
  operationTime?: number;
}

/** Parameters of a login besides address and password. */
export interface LdapCheck {
  /** Filter for a group that the domain's users must be in; "" for everybody who may log in. */
  group?: string;
  /** The client's address. */
  from?: string;
}

/** A user found in the directory. */
interface Found {
  person: Person;
  /** Hashes to compare the password with; undefined if the directory has verified it. */
  hashes: string[] | undefined;
}

/** A verified password. */
interface Remembered {
  mac: Uint8Array;
  person: Person;
  /** When the directory verified it. */
  at: number;
}

export class Ldap {
  readonly name: string;
  readonly conf: LdapDirectory;
  readonly #o: LdapOptions;
  readonly #now: () => number;
  // The key is random for each process, so the cache is useless elsewhere.
  readonly #key = randomBytes(32);
  readonly #right = new Map<string, Remembered>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: LdapOptions) {
    this.name = options.name;
    this.conf = options.conf;
    this.#o = options;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Checks the password of an address.
   * @throws IdentityError "wrong"; "away" if the directory is unreachable and has not verified it recently
   */
  async check(
    address: string,
    password: string,
    { group = "", from = "" }: LdapCheck = {},
  ): Promise<Person> {
    // RFC 4513 §5.1.2: a bind without a password always succeeds, without authentication.
    if (password === "") throw new IdentityError("wrong", "no password");
    const key = `${address.toLowerCase()} ${group}`;
    const mac = createHmac("sha256", this.#key).update(password).digest();
    const before = this.#right.get(key);
    const same = before !== undefined && timingSafeEqual(before.mac, mac) ? before : undefined;
    const age = same === undefined ? Infinity : this.#now() - same.at;
    if (age < rightFor) return same!.person;
    const library = await ldapLibrary();
    try {
      const { person, hashes } = await this.#inTurn(() => this.#ask(address, password, group));
      if (hashes !== undefined) await this.#compare(address, password, hashes, from);
      this.#remember(key, { mac, person, at: this.#now() });
      return person;
    } catch (err) {
      const identified = identityError(err, library);
      if (identified.reason === "away") {
        this.#o.log.warn("the directory can't be asked", {
          directory: this.name,
          reason: identified.message,
        });
        if (age < this.conf.CacheTime) return same!.person;
      } else if (same !== undefined) this.#right.delete(key);
      throw identified;
    }
  }

  #remember(key: string, remembered: Remembered): void {
    this.#right.delete(key);
    this.#right.set(key, remembered);
    if (this.#right.size > maxRemembered) {
      for (const [first] of this.#right) return void this.#right.delete(first);
    }
  }

  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (this.#running >= maxRunning) {
      if (this.#waiting.length >= maxWaiting) {
        throw new IdentityError("away", "too many logins at a time");
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** @throws IdentityError if the password matches none of the hashes */
  async #compare(
    address: string,
    password: string,
    hashes: readonly string[],
    from: string,
  ): Promise<void> {
    let known = 0;
    for (const hash of hashes.slice(0, maxHashes)) {
      const right = await this.#o.verify(password, hash, from);
      if (right === true) return;
      if (right === false) known++;
    }
    if (known > 0) throw new IdentityError("wrong", "the password is not that of the hash");
    const reason = hashes.length === 0
      ? `${this.conf.HashAttribute} isn't there, or ${this.conf.BindDN} may not read it`
      : `${this.conf.HashAttribute} has no hash of a kind that can be verified`;
    this.#o.log.warn("no password can be right", { directory: this.name, address, reason });
    throw new IdentityError("wrong", reason);
  }

  async #ask(address: string, password: string, group: string): Promise<Found> {
    const { InvalidCredentialsError } = await ldapLibrary();
    const stop = AbortSignal.timeout(wholeTime);
    const c = await this.#connect(stop);
    try {
      const { conf, secret } = this.#o;
      if (conf.BindDN !== "") {
        await c.bind(conf.BindDN, secret).catch((cause) => {
          if (!(cause instanceof InvalidCredentialsError)) throw cause;
          throw new IdentityError("away", "BindDN and its password are refused", { cause });
        });
      }
      const attributes = [
        conf.NameAttribute,
        conf.HashAttribute,
        ...attributesInFilter(conf.GroupFilter),
        ...attributesInFilter(group),
      ].filter((a) => a !== "");
      const found = await this.#find(c, conf.Filter, address, 2, attributes);
      if (found.length === 0) throw new IdentityError("wrong", "nobody there has the address");
      if (found.length > 1) throw new IdentityError("wrong", "several entries fit");
      const [entry] = found;
      for (const [filter, what] of [[conf.GroupFilter, "may log in"], [group, "has the domain"]]) {
        if (filter !== "" && !await this.#isMember(c, filter, entry)) {
          throw new IdentityError("wrong", `not in the group that ${what}`);
        }
      }
      const [name = ""] = textsOf(entry, conf.NameAttribute);
      const person = { address, name: name.slice(0, 200) };
      if (conf.HashAttribute !== "") {
        return { person, hashes: textsOf(entry, conf.HashAttribute) };
      }
      await c.bind(entry.dn, password);
      return { person, hashes: undefined };
    } catch (err) {
      if (stop.aborted) throw new IdentityError("away", "it takes too long", { cause: err });
      throw err;
    } finally {
      await c.unbind().catch(() => {});
    }
  }

  /** Whether an entry has a group by a filter. @throws IdentityError if it lacks an attribute that the filter asks for */
  async #isMember(client: Client, filter: string, entry: Entry): Promise<boolean> {
    for (const filled of filledFilters(filter, entry)) {
      if ((await this.#find(client, filled, entry.dn, 1, noAttributes)).length > 0) return true;
    }
    return false;
  }

  /** The entries that match a filter, up to a limit, with these attributes. */
  async #find(
    client: Client,
    filter: string,
    value: string,
    sizeLimit: number,
    attributes: string[],
  ): Promise<Entry[]> {
    const { searchEntries } = await client.search(this.conf.BaseDN, {
      scope: "sub",
      filter: filter.replaceAll("%s", () => escapeFilter(value)),
      attributes,
      sizeLimit,
      timeLimit: operationTime / 1000,
    });
    return searchEntries;
  }

  /** A connection with TLS as configured. */
  async #connect(signal: AbortSignal): Promise<Client> {
    const { conf, outbound } = this.#o;
    const { Client } = await ldapLibrary();
    const url = new URL(conf.URL);
    const secure = url.protocol === "ldaps:";
    const host = bareHost(url.hostname);
    const at = new URL(`${secure ? "https" : "http"}://${url.hostname}`);
    at.port = url.port || (secure ? "636" : "389");
    const socket: Socket | TLSSocket = await outbound.connect({
      url: at,
      // Its address is chosen by the administrator.
      rule: undefined,
      signal,
    });
    const starts = !secure && !conf.NoTLS;
    const unbind = bounded(socket, signal, starts ? maxBeforeTls : maxAnswer);
    const c = new Client({
      url: conf.URL,
      timeout: this.#o.operationTime ?? operationTime,
      createConnection: () => socket,
      createSecureConnection: () => {
        if (secure) return socket as TLSSocket;
        // From here on TLS reads all input.
        unbind();
        const upgraded = outbound.startTls(socket, host);
        bounded(upgraded, signal, maxAnswer);
        return upgraded;
      },
    });
    if (starts) {
      try {
        await c.startTLS();
      } catch (err) {
        await c.unbind().catch(() => {});
        throw err;
      }
    }
    return c;
  }
}

/** Closes a connection that sends more bytes than this, or takes too long. @returns function that stops counting */
function bounded(socket: Socket, signal: AbortSignal, bytes: number): () => void {
  let size = 0;
  const count = (piece: Uint8Array) => {
    size += piece.length;
    if (size > bytes) socket.destroy(new Error("the answer is too large"));
  };
  socket.on("data", count);
  const abort = () => socket.destroy(new Error("it takes too long"));
  signal.addEventListener("abort", abort);
  socket.on("close", () => signal.removeEventListener("abort", abort));
  socket.on("error", () => {});
  return () => void socket.off("data", count);
}

/** The values of an attribute, whatever the case of its name. */
function textsOf(entry: Entry, attribute: string): string[] {
  const name = Object.keys(entry).find((k) => k.toLowerCase() === attribute.toLowerCase());
  const values = name === undefined ? [] : [entry[name]].flat();
  return values.map((v) => typeof v === "string" ? v : new TextDecoder().decode(v))
    .filter((v) => v !== "");
}

/**
 * A filter of a group with the values of the entry's attributes in place of `%{…}`: one filter for each combination of
 * values, as `uid` and others may have several.
 * @throws IdentityError for an attribute that the entry lacks: an empty value could match unintended entries
 */
function filledFilters(filter: string, entry: Entry): string[] {
  let filters = [filter];
  for (const attribute of attributesInFilter(filter)) {
    const values = textsOf(entry, attribute);
    if (values.length === 0) {
      throw new IdentityError(
        "wrong",
        `the entry has no ${attribute}, which the group's filter asks for`,
      );
    }
    filters = filters.flatMap((f) =>
      values.map((v) => f.replaceAll(`%{${attribute}}`, () => escapeFilter(v)))
    );
    if (filters.length > maxCombinations) {
      throw new IdentityError("wrong", `the entry has too many values of ${attribute}`);
    }
  }
  return filters;
}

/** Escapes a value for a filter (RFC 4515 §3), so that every byte is literal. */
export function escapeFilter(value: string): string {
  return [...new TextEncoder().encode(value)].map((b) => {
    const plain = b >= 0x20 && b < 0x7f && !"%*()\\&|!=<>~".includes(String.fromCharCode(b));
    return plain ? String.fromCharCode(b) : `\\${b.toString(16).padStart(2, "0")}`;
  }).join("");
}

function identityError(err: unknown, library: Library): IdentityError {
  if (err instanceof IdentityError) return err;
  if (err instanceof library.InvalidCredentialsError) {
    return new IdentityError("wrong", "the directory refuses the password", { cause: err });
  }
  const text = err instanceof Error ? err.message : String(err);
  const of = err instanceof library.ResultCodeError ? `it answers ${err.code}: ` : "";
  const plain = text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
  return new IdentityError("away", of + plain, { cause: err });
}
