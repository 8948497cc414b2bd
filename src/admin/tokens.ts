/**
 * Tokens of the admin API, in a file of the data folder: for programs that set up domains and accounts, each with
 * scopes, domains and expiry. Only a hash of the token is stored: it has 256 random bits, so a fast hash
 * is enough.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Log } from "../log/mod.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { AdminError } from "./errors.ts";

/** Name of the file. */
export const adminTokenFile = "admin-tokens.json";

/** Areas of calls. */
const areas = [
  "server",
  "domains",
  "accounts",
  "queue",
  "webhooks",
  "reports",
  "security",
  "settings",
] as const;
export type AdminArea = (typeof areas)[number];
/** Permissions of a token: read an area, or write it (which includes reading); "all" is every area. */
export type AdminScope = `${AdminArea | "all"}:${"read" | "write"}`;
export const adminScopes: readonly AdminScope[] = (["all", ...areas] as const).flatMap((a) =>
  [`${a}:read`, `${a}:write`] as const
);

/** A token, without its secret. */
export interface AdminToken {
  id: number;
  /** A description, such as the program that uses it. */
  name: string;
  scopes: AdminScope[];
  /** Names of domains; empty for the whole server. */
  domains: string[];
  /** Milliseconds since the epoch. */
  created: number;
  expires: number;
  /** 0 for never; updated once an hour. */
  lastUsed: number;
  lastIp: string;
}

export interface NewAdminToken {
  name: string;
  scopes: readonly string[];
  domains: readonly string[];
  /** From now, 1 to 3650. */
  days: number;
}

interface Stored extends AdminToken {
  hash: string;
}

const prefix = "moxadm_";
/** Most tokens of all administrators together. */
const maxTokens = 500;
const dayMs = 86_400_000;
/** Milliseconds after which a use is recorded again. */
const noteAfter = 3_600_000;

const hashOf = (token: string) => createHash("sha256").update(token).digest("base64url");
const log = new Log("admintokens");

/** Pending operations, by file: one at a time, as each change rewrites the file, even from different objects. */
const running = new Map<string, Promise<unknown>>();

export class AdminTokens {
  readonly #path: string;
  readonly #now: () => number;
  constructor(dataDir: string, now: () => number = Date.now) {
    this.#path = join(dataDir, adminTokenFile);
    this.#now = now;
  }

  /** @throws Error if the file can't be read or is damaged: then no token works */
  async #read(): Promise<Stored[]> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.#path);
    } catch (err) {
      if (err instanceof Deno.errors.NotFound) return [];
      throw err;
    }
    try {
      return (JSON.parse(text) as Stored[]).map((stored) => {
        const right = Number.isSafeInteger(stored.id) && typeof stored.hash === "string" &&
          Number.isSafeInteger(stored.expires) && Array.isArray(stored.scopes) &&
          Array.isArray(stored.domains);
        if (!right) throw new Error("a token in it has other fields");
        return stored;
      });
    } catch (cause) {
      throw new Error(`${this.#path} is damaged; remove it to go without tokens`, { cause });
    }
  }

  async #write(list: readonly Stored[]): Promise<void> {
    await writeFileAtomic(this.#path, new TextEncoder().encode(`${JSON.stringify(list)}\n`));
  }

  #alone<T>(fn: () => Promise<T>): Promise<T> {
    const result = (running.get(this.#path) ?? Promise.resolve()).then(fn);
    running.set(this.#path, result.catch(() => {}));
    return result;
  }

  /** All tokens, oldest first. */
  list(): Promise<AdminToken[]> {
    return this.#alone(async () => (await this.#read()).map(({ hash: _, ...t }) => t));
  }

  /**
   * Creates a token. It is on disk when it resolves, and is returned only once.
   * @param isDomain whether a domain is configured
   * @throws AdminError
   */
  add(
    n: NewAdminToken,
    isDomain: (name: string) => boolean,
  ): Promise<{ token: string; made: AdminToken }> {
    const name = n.name.trim();
    if (name === "" || name.length > 100) throw new AdminError("a name has 1 to 100 characters");
    if (n.scopes.length === 0) throw new AdminError("a token needs a scope");
    const scopes = n.scopes.map((s) => {
      const known = adminScopes.find((x) => x === s);
      if (known === undefined) {
        throw new AdminError(
          `${JSON.stringify(s)} is not a scope: those are ${adminScopes.join(", ")}`,
        );
      }
      return known;
    });
    for (const d of n.domains) if (!isDomain(d)) throw new AdminError(`no domain ${d}`);
    if (!Number.isSafeInteger(n.days) || n.days < 1 || n.days > 3650) {
      throw new AdminError("a token is good for 1 to 3650 days");
    }
    const token = prefix + randomBytes(32).toString("base64url");
    return this.#alone(async () => {
      const list = await this.#read();
      if (list.length >= maxTokens) {
        throw new AdminError(`there are ${maxTokens} tokens already: remove some`);
      }
      if (list.some((t) => t.name === name)) {
        throw new AdminError(`there is a token ${JSON.stringify(name)} already`);
      }
      const created = this.#now();
      const made: AdminToken = {
        id: Math.max(0, ...list.map((t) => t.id)) + 1,
        name,
        scopes: [...new Set(scopes)],
        domains: [...new Set(n.domains)],
        created,
        expires: created + n.days * dayMs,
        lastUsed: 0,
        lastIp: "",
      };
      await this.#write([...list, { ...made, hash: hashOf(token) }]);
      return { token, made };
    });
  }

  /** Revokes a token, by its id or name. False if there is none. */
  remove(which: number | string): Promise<boolean> {
    return this.#alone(async () => {
      const list = await this.#read();
      const left = list.filter((t) => t.id !== which && t.name !== which);
      if (left.length === list.length) return false;
      await this.#write(left);
      return true;
    });
  }

  /** Takes domains from tokens that are for these only; a token without any left is withdrawn. */
  keepDomains(isDomain: (name: string) => boolean): Promise<void> {
    return this.#alone(async () => {
      const list = await this.#read();
      const left = list.flatMap((t) => {
        const domains = t.domains.filter(isDomain);
        if (domains.length === t.domains.length) return [t];
        log.info("domain of a token is gone", { name: t.name, withdrawn: domains.length === 0 });
        return domains.length === 0 ? [] : [{ ...t, domains }];
      });
      if (left.length < list.length || left.some((t, i) => t !== list[i])) await this.#write(left);
    });
  }

  /** Looks up a presented token, and records its use. */
  find(token: string, ip: string): Promise<AdminToken | "unknown" | "expired"> {
    return this.#alone(async () => {
      if (!token.startsWith(prefix) || token.length > 100) return "unknown";
      const hash = hashOf(token);
      const list = await this.#read();
      const found = list.find((t) => t.hash === hash);
      if (found === undefined) return "unknown";
      const now = this.#now();
      if (found.expires <= now) return "expired";
      if (now - found.lastUsed > noteAfter) {
        found.lastUsed = now;
        found.lastIp = ip;
        // Failing to record the use must not prevent access.
        await this.#write(list).catch((err) => log.warn("noting a use", { err: err as Error }));
      }
      const { hash: _, ...t } = found;
      return t;
    });
  }
}

/** Whether scopes allow a call. */
export function mayUse(
  scopes: readonly AdminScope[],
  area: AdminArea,
  kind: "read" | "write",
): boolean {
  return scopes.some((s) => {
    const [a, k] = s.split(":");
    return (a === area || a === "all") && (k === "write" || k === kind);
  });
}
