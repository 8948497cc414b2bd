/**
 * Scripts of accounts, as ManageSieve, JMAP and the webmail see them: each has a name, one may be active.
 * Stored scripts have no errors; they are compiled once, and kept compiled while they are used.
 *
 * @module
 */
import {
  compileSieve,
  compileSieveAsync,
  isScriptName,
  type SieveProblem,
  type SieveScript,
  SieveSyntaxError,
} from "../../sieve/mod.ts";
import type { Db } from "../../store/database/database.ts";

/** Limits of an account's scripts. */
export const scriptLimits = {
  /** Number of scripts. */
  count: 100,
  /** Bytes of one script. */
  size: 1024 * 1024,
  /** Bytes of all scripts. */
  total: 4 * 1024 * 1024,
};

/** Most compiled scripts kept. */
const maxKept = 200;

export interface ScriptInfo {
  id: number;
  name: string;
  active: boolean;
  /** Bytes. */
  size: number;
  /** Milliseconds since the epoch. */
  changed: number;
}

/** A request about scripts that fails. */
export class ScriptError extends Error {
  override name = "ScriptError";
  readonly code:
    | "missing"
    | "exists"
    | "active"
    | "name"
    | "tooMany"
    | "tooLarge"
    | "overQuota"
    | "invalid";
  /** The problems of an invalid script. */
  readonly problems: readonly SieveProblem[];

  constructor(code: ScriptError["code"], message: string, problems: readonly SieveProblem[] = []) {
    super(message);
    this.code = code;
    this.problems = problems;
  }
}

const encoder = new TextEncoder();

type Compiled = SieveScript | SieveProblem[] | undefined;

/** Cached facts about an account's scripts. */
interface Kept {
  /** Name of the active one; undefined for none. */
  active: string | undefined;
  /** By name. */
  scripts: Map<string, Compiled>;
}

export class Scripts {
  readonly #db: Db;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  /** Called when an account's scripts have changed. */
  onChange: ((account: string) => void) | undefined;

  constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  list(account: string): ScriptInfo[] {
    return this.#db.all(
      "SELECT id, name, active, length(CAST(content AS BLOB)), changed FROM scripts WHERE account = ? ORDER BY name",
      account,
    ).map(([id, name, active, size, changed]) => ({
      id,
      name,
      active: active === 1,
      size,
      changed,
    }));
  }

  /** Text of a script; undefined for none of that name. */
  get(account: string, name: string): string | undefined {
    return this.#db.get("SELECT content FROM scripts WHERE account = ? AND name = ?", account, name)
      ?.[0];
  }

  /** Name of the active script. */
  active(account: string): string | undefined {
    return this.#db.get("SELECT name FROM scripts WHERE account = ? AND active = 1", account)?.[0];
  }

  /**
   * Checks whether a script of that size fits.
   * @throws ScriptError "name", "tooMany", "tooLarge", "overQuota"
   */
  checkSpace(account: string, name: string, size: number): void {
    if (!isScriptName(name)) throw new ScriptError("name", "this can't be the name of a script");
    if (size > scriptLimits.size) {
      throw new ScriptError("tooLarge", `a script has ${scriptLimits.size} bytes at most`);
    }
    const others = this.list(account).filter((s) => s.name !== name);
    if (others.length >= scriptLimits.count) {
      throw new ScriptError("tooMany", `an account has ${scriptLimits.count} scripts at most`);
    }
    if (others.reduce((n, s) => n + s.size, size) > scriptLimits.total) {
      throw new ScriptError(
        "overQuota",
        `the scripts of an account have ${scriptLimits.total} bytes at most`,
      );
    }
  }

  /** Compiles a text. @throws ScriptError "invalid" with all its problems */
  async check(text: string, name = ""): Promise<SieveScript> {
    try {
      return await compileSieveAsync(text, { name });
    } catch (err) {
      if (err instanceof SieveSyntaxError) {
        throw new ScriptError("invalid", err.message, err.problems);
      }
      throw err;
    }
  }

  /**
   * Stores a script, all or nothing, replacing one of the same name; durable when it resolves.
   * @returns warnings about what may not be intended.
   * @throws ScriptError
   */
  async put(account: string, name: string, text: string): Promise<readonly SieveProblem[]> {
    this.checkSpace(account, name, encoder.encode(text).length);
    const compiled = await this.check(text, name);
    // Others may have stored scripts meanwhile.
    this.checkSpace(account, name, encoder.encode(text).length);
    this.#db.transaction(() => {
      this.#db.run(
        "INSERT INTO scripts (account, name, id, content, changed) " +
          "VALUES (?1, ?2, (SELECT coalesce(max(id), 0) + 1 FROM scripts), ?3, ?4) " +
          "ON CONFLICT (account, name) DO UPDATE SET content = excluded.content, changed = excluded.changed",
        account,
        name,
        text,
        this.#now(),
      );
    });
    await this.#changed(account);
    this.#keptOf(account).scripts.set(name, compiled);
    return compiled.warnings;
  }

  /** Makes a script the active one, or with "" none. @throws ScriptError "missing" */
  async setActive(account: string, name: string): Promise<void> {
    if (name !== "") this.#require(account, name);
    this.#db.transaction(() => {
      this.#db.run("UPDATE scripts SET active = 0 WHERE account = ? AND active = 1", account);
      this.#db.run("UPDATE scripts SET active = 1 WHERE account = ? AND name = ?", account, name);
    });
    const { scripts } = this.#keptOf(account);
    await this.#changed(account);
    // The scripts themselves have not changed.
    for (const [name, compiled] of scripts) this.#keptOf(account).scripts.set(name, compiled);
  }

  /** @throws ScriptError "missing", or "active" for the active one */
  async remove(account: string, name: string): Promise<void> {
    this.#require(account, name);
    if (this.active(account) === name) {
      throw new ScriptError("active", "the active script can't be deleted");
    }
    this.#db.run("DELETE FROM scripts WHERE account = ? AND name = ?", account, name);
    await this.#changed(account);
  }

  /** @throws ScriptError "missing", "exists", "name" */
  async rename(account: string, from: string, to: string): Promise<void> {
    this.#require(account, from);
    if (!isScriptName(to)) throw new ScriptError("name", "this can't be the name of a script");
    if (from === to) return;
    if (this.get(account, to) !== undefined) {
      throw new ScriptError("exists", "there is a script of that name");
    }
    this.#db.run("UPDATE scripts SET name = ? WHERE account = ? AND name = ?", to, account, from);
    await this.#changed(account);
  }

  #require(account: string, name: string): void {
    if (this.get(account, name) === undefined) {
      throw new ScriptError("missing", "there is no script of that name");
    }
  }

  async #changed(account: string): Promise<void> {
    this.#kept.delete(account);
    await this.#db.durable();
    this.onChange?.(account);
  }

  /** Called for an account that was removed. */
  forget(account: string): void {
    this.#kept.delete(account);
  }

  #keptOf(account: string): Kept {
    let own = this.#kept.get(account);
    if (!own) {
      if (this.#kept.size >= maxKept) this.#kept.delete(this.#kept.keys().next().value!);
      this.#kept.set(account, own = { active: this.active(account), scripts: new Map() });
    }
    return own;
  }

  /** The active script compiled; undefined for none. */
  compiledActive(account: string): Compiled {
    const { active } = this.#keptOf(account);
    return active === undefined ? undefined : this.compiled(account, active);
  }

  /** A script by name, compiled; undefined for none of that name. */
  compiled(account: string, name: string): Compiled {
    const { scripts } = this.#keptOf(account);
    if (scripts.has(name)) return scripts.get(name);
    const text = this.get(account, name);
    const made = text === undefined ? undefined : compileOrProblems(text, name);
    if (scripts.size < scriptLimits.count * 2) scripts.set(name, made);
    return made;
  }
}

/** A compiled script, or its problems: this version may not know a script stored by another one. */
export function compileOrProblems(text: string, name: string): SieveScript | SieveProblem[] {
  try {
    return compileSieve(text, { name });
  } catch (err) {
    if (err instanceof SieveSyntaxError) return [...err.problems];
    throw err;
  }
}
