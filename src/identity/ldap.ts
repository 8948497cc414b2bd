/**
 * Passwords of an LDAP directory (RFC 4511): somebody is looked up by the address that was typed, and then the server
 * logs in to the directory as that entry, with the password that was typed. The protocol is ldapts's; connections go
 * by the one way out.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Client, Entry } from "ldapts";
import type { LdapDirectory } from "../config/mod.ts";
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
/** Bytes that a directory may send for a login. */
const maxAnswer = 1024 * 1024;
/** Logins at a time; others wait for their turn. */
const maxRunning = 10;
const maxWaiting = 200;
/** Milliseconds for which a right password isn't asked about again: programs send it with each request. */
const rightFor = 60_000;
/** Logins that are remembered at a time; the oldest goes first. */
const maxRemembered = 20_000;

export interface LdapOptions {
  /** In the configuration. */
  name: string;
  conf: LdapDirectory;
  /** Of BindDN. */
  secret: string;
  outbound: Outbound;
  log: Log;
  now?: () => number;
  /** Milliseconds for an operation; for tests. */
  operationTime?: number;
}

/** A password that was right. */
interface Remembered {
  mac: Uint8Array;
  person: Person;
  /** When the directory said so. */
  at: number;
}

export class Ldap {
  readonly name: string;
  readonly conf: LdapDirectory;
  readonly #o: LdapOptions;
  readonly #now: () => number;
  // What is kept in memory is of no use elsewhere.
  readonly #key = randomBytes(32);
  readonly #right = new Map<string, Remembered>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(o: LdapOptions) {
    this.name = o.name;
    this.conf = o.conf;
    this.#o = o;
    this.#now = o.now ?? Date.now;
  }

  /**
   * Checks the password of an address.
   * @throws IdentityError "wrong"; "away" if the directory can't be asked and has not said it lately
   */
  async check(address: string, password: string): Promise<Person> {
    // RFC 4513 §5.1.2: a bind without password asks nothing, and succeeds.
    if (password === "") throw new IdentityError("wrong", "no password");
    const key = address.toLowerCase();
    const mac = createHmac("sha256", this.#key).update(password).digest();
    const before = this.#right.get(key);
    const same = before !== undefined && timingSafeEqual(before.mac, mac) ? before : undefined;
    const age = same === undefined ? Infinity : this.#now() - same.at;
    if (age < rightFor) return same!.person;
    const library = await ldapLibrary();
    try {
      const person = await this.#inTurn(() => this.#ask(address, password));
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

  #remember(key: string, r: Remembered): void {
    this.#right.delete(key);
    this.#right.set(key, r);
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

  async #ask(address: string, password: string): Promise<Person> {
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
      const entry = await this.#one(c, conf.Filter, address);
      if (entry === undefined) throw new IdentityError("wrong", "nobody there has the address");
      if (conf.GroupFilter !== "" && await this.#one(c, conf.GroupFilter, entry.dn) === undefined) {
        throw new IdentityError("wrong", "not in the group that may log in");
      }
      await c.bind(entry.dn, password);
      const name = entry[conf.NameAttribute];
      const first = Array.isArray(name) ? name[0] : name;
      return { address, name: typeof first === "string" ? first.slice(0, 200) : "" };
    } catch (err) {
      if (stop.aborted) throw new IdentityError("away", "it takes too long", { cause: err });
      throw err;
    } finally {
      await c.unbind().catch(() => {});
    }
  }

  /** The only entry that fits a filter; undefined if there is none. */
  async #one(c: Client, filter: string, value: string): Promise<Entry | undefined> {
    const { searchEntries } = await c.search(this.conf.BaseDN, {
      scope: "sub",
      filter: filter.replaceAll("%s", () => escapeFilter(value)),
      attributes: [this.conf.NameAttribute],
      sizeLimit: 2,
      timeLimit: operationTime / 1000,
    });
    if (searchEntries.length > 1) {
      throw new IdentityError("wrong", "several entries fit");
    }
    return searchEntries[0];
  }

  /** A connection with TLS, as the configuration wants it. */
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
      // The administrator says where it is.
      rule: undefined,
      signal,
    });
    const starts = !secure && !conf.NoTLS;
    // Before STARTTLS nobody else may take what comes.
    if (!starts) bounded(socket, signal);
    const c = new Client({
      url: conf.URL,
      timeout: this.#o.operationTime ?? operationTime,
      createConnection: () => socket,
      createSecureConnection: () => {
        if (secure) return socket as TLSSocket;
        const upgraded = outbound.startTls(socket, host);
        bounded(upgraded, signal);
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

/** Ends a connection that brings too much, or takes too long. */
function bounded(socket: Socket, signal: AbortSignal): void {
  let size = 0;
  socket.on("data", (piece: Uint8Array) => {
    size += piece.length;
    if (size > maxAnswer) socket.destroy(new Error("the answer is too large"));
  });
  const abort = () => socket.destroy(new Error("it takes too long"));
  signal.addEventListener("abort", abort);
  socket.on("close", () => signal.removeEventListener("abort", abort));
  socket.on("error", () => {});
}

/** A value in a filter (RFC 4515 §3): no byte of it means anything but itself. */
export function escapeFilter(value: string): string {
  return [...new TextEncoder().encode(value)].map((b) => {
    const plain = b >= 0x20 && b < 0x7f && !"*()\\&|!=<>~".includes(String.fromCharCode(b));
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
