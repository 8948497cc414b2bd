/**
 * A disk that fails: in tests, the runtime's file calls and SQLite's statements are wrapped, counted, and
 * the n-th one is made to fail or to wait. Only calls about the watched folder count. As the runtime's own
 * functions are wrapped, no call of the program can go around it, and the program needs no seam for it.
 *
 * Calls in Workers are not seen: tests call what runs there in their own thread.
 *
 * @module
 */
import { DatabaseSync, StatementSync } from "node:sqlite";
import { sep } from "node:path";

/** What the call at the point does. */
export type Fault =
  | "ENOSPC"
  | "EIO"
  | "EMFILE"
  /** A write writes half and says so, once. */
  | "short"
  /** A write writes half, and the rest does not fit any more. */
  | "torn"
  /** The call is made 20 ms late. */
  | "delay";

/** A call that was seen. */
export interface Call {
  name: string;
  path: string;
}

interface Plan {
  dir: string;
  /** Statements that read count too. */
  reads: boolean;
  /** All later calls fail too. */
  lasting: boolean;
  at: number;
  fault: Fault;
  calls: Call[];
  hit: Call | undefined;
  failed: Call[];
  /** Of the file that was torn: later writes to it fail too. */
  torn: unknown;
}

let plan: Plan | undefined;
const paths = new WeakMap<object, string>();

const writing = new Set(["write", "writeSync", "Deno.writeFile", "Deno.writeFileSync"]);
/** Calls that can't be made late. */
const synchronous = (name: string) => /Sync$|^SQL/.test(name);
const creating = /^Deno\.(open|mkdir|link|rename|copyFile|writeFile|makeTemp)/;
const opening = /^Deno\.(open|readDir|readFile|copyFile|writeFile)/;

/** True if the fault can happen to such a call. */
export function possible(fault: Fault, name: string): boolean {
  switch (fault) {
    case "EIO":
      return true;
    case "ENOSPC":
      return writing.has(name) || creating.test(name) ||
        name.startsWith("sync") ||
        /^SQL (?:run|exec)/.test(name);
    case "EMFILE":
      return opening.test(name);
    case "short":
    case "torn":
      return name === "write" || name === "writeSync";
    case "delay":
      return !synchronous(name);
  }
}

class DiskError extends Error {
  override name = "DiskError";
  constructor(readonly code: string, call: Call) {
    super(`planted ${code} in ${call.name} of ${call.path}`);
  }
}

function inDir(path: string): boolean {
  return plan !== undefined && (path === plan.dir || path.startsWith(plan.dir + sep));
}

/** Counts a call; returns the fault if it is this one's turn. */
function seen(name: string, path: string): Fault | undefined {
  if (!plan || !inDir(path)) return undefined;
  plan.calls.push({ name, path });
  const now = plan.lasting
    ? plan.at > 0 && plan.calls.length >= plan.at
    : plan.calls.length === plan.at;
  if (!now) return undefined;
  plan.hit ??= { name, path };
  plan.failed.push({ name, path });
  return plan.fault;
}

const late = () => new Promise((resolve) => setTimeout(resolve, 20));

type Fn = (...args: unknown[]) => unknown;

/** Keeps the path of an opened file beside it. */
function remember(result: unknown, path: string): unknown {
  if (result instanceof Deno.FsFile) paths.set(result, path);
  else if (result instanceof Promise) result.then((r) => remember(r, path), () => {});
  return result;
}

function wrapped(name: string, original: Fn, self: unknown, path: string, args: unknown[]) {
  const fault = seen(name, path);
  const call = () => remember(original.apply(self, args), path);
  if (fault === undefined) return call();
  // Which call is the n-th may differ from run to run where several are under way.
  if (fault === "delay") return synchronous(name) ? call() : late().then(call);
  if (fault === "short" || !possible(fault, name)) return call();
  const err = new DiskError(fault === "torn" ? "ENOSPC" : fault, { name, path });
  const asynchronous = !synchronous(name);
  // A read of a folder is a list that is read on, not a promise.
  if (name === "Deno.readDir") throw err;
  return asynchronous ? Promise.reject(err) : (() => {
    throw err;
  })();
}

const functions = [
  "open",
  "openSync",
  "link",
  "linkSync",
  "rename",
  "renameSync",
  "remove",
  "removeSync",
  "mkdir",
  "mkdirSync",
  "copyFile",
  "copyFileSync",
  "writeFile",
  "writeFileSync",
  "readFile",
  "readFileSync",
  "readDir",
  "readDirSync",
  "stat",
  "statSync",
  "chmodSync",
] as const;
const methods = [
  "write",
  "writeSync",
  "read",
  "readSync",
  "sync",
  "syncSync",
  "syncData",
  "syncDataSync",
] as const;

/** Wraps everything, for as long as the tests of this process run: files opened earlier count too. */
function install(): void {
  const replace = (holder: Record<string, unknown>, key: string, make: (original: Fn) => Fn) => {
    const original = holder[key] as Fn;
    holder[key] = make(original);
  };
  const space = Deno as unknown as Record<string, unknown>;
  for (const f of functions) {
    replace(space, f, (original) =>
      function (this: unknown, ...args: unknown[]) {
        // A link or copy is about its new name.
        const second = /^(link|rename|copyFile)/.test(f);
        return wrapped(`Deno.${f}`, original, Deno, String(args[second ? 1 : 0]), args);
      });
  }
  const file = Deno.FsFile.prototype as unknown as Record<string, unknown>;
  for (const m of methods) {
    replace(file, m, (original) =>
      function (this: object, ...args: unknown[]) {
        const path = paths.get(this) ?? "";
        if (m !== "write" && m !== "writeSync") return wrapped(m, original, this, path, args);
        const bytes = args[0] as Uint8Array;
        if (plan?.torn === this) {
          const err = new DiskError("ENOSPC", { name: m, path });
          if (m === "write") return Promise.reject(err);
          throw err;
        }
        const half = plan !== undefined && inDir(path) && plan.calls.length + 1 === plan.at &&
          (plan.fault === "short" || plan.fault === "torn");
        if (!half) return wrapped(m, original, this, path, args);
        seen(m, path);
        if (plan!.fault === "torn") plan!.torn = this;
        return original.call(this, bytes.subarray(0, Math.max(1, bytes.length >> 1)));
      });
  }
  // The database of a statement is not known: all of this thread's count.
  const sql = (name: string, what: string) => {
    const fault = plan && seen(name, `${plan.dir}${sep}${what}`);
    // As with file calls, the n-th may be another one in this run: what can't be late or short isn't.
    if (fault === undefined || fault === "delay" || fault === "short" || fault === "EMFILE") return;
    const full = fault === "ENOSPC" || fault === "torn";
    throw Object.assign(new Error(full ? "database or disk is full" : "disk I/O error"), {
      code: "ERR_SQLITE_ERROR",
      errcode: full ? 13 : 10,
    });
  };
  for (const m of ["run", "all", "get"]) {
    replace(
      StatementSync.prototype as unknown as Record<string, unknown>,
      m,
      (original) =>
        function (this: unknown, ...args: unknown[]) {
          if (m === "run" || plan?.reads) sql(`SQL ${m}`, "statement");
          return original.apply(this, args);
        },
    );
  }
  replace(
    DatabaseSync.prototype as unknown as Record<string, unknown>,
    "exec",
    (original) =>
      function (this: unknown, ...args: unknown[]) {
        const text = String(args[0]);
        // Rolling back needs no disk.
        if (!/^(ROLLBACK|PRAGMA)/.test(text)) sql("SQL exec", text.slice(0, 40));
        return original.apply(this, args);
      },
  );
}

install();

/**
 * Runs with the fault at the n-th call about the folder (0: none); with `reads`, statements that only read count;
 * `lasting`, the fault goes on from there, as a full disk does.
 */
export async function withFault(
  dir: string,
  at: number,
  fault: Fault,
  fn: () => Promise<void>,
  o: { reads?: boolean; lasting?: boolean } = {},
): Promise<{ calls: Call[]; hit: Call | undefined; failed: Call[]; error: unknown }> {
  const own: Plan = {
    dir,
    reads: o.reads === true,
    lasting: o.lasting === true,
    at,
    fault,
    calls: [],
    hit: undefined,
    failed: [],
    torn: undefined,
  };
  plan = own;
  let error: unknown;
  try {
    await fn();
  } catch (err) {
    error = err;
  } finally {
    plan = undefined;
  }
  return { calls: own.calls, hit: own.hit, failed: own.failed, error };
}

/** True for an error that was planted, or that has one as its cause. */
export function isPlanted(err: unknown): boolean {
  for (let e = err; e instanceof Error; e = e.cause) {
    if (e instanceof DiskError || (e as { code?: string }).code === "ERR_SQLITE_ERROR") return true;
  }
  return false;
}
