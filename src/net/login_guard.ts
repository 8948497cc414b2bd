/**
 * Protects passwords from being guessed, across all protocols: each attempt takes a place before anything is
 * checked, and gives it back if it was not a guess.
 *
 * - An address has an allowance of failed attempts, and so have the networks around it.
 * - An account with failures makes logins from unknown places wait, longer with each failure. Nobody is refused
 *   because of it, so a stranger can't lock an account.
 * - Places that an account has logged in from have their own allowance and don't wait: guessing, even from the
 *   same network, locks nobody out.
 * - Failures are answered no sooner than after a fixed time, so that timing reveals little about what failed.
 *
 * Counting is the same for existing and unknown names.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import {
  type AuthResult,
  type AuthService,
  countAuthentication,
  countAuthenticationLimited,
} from "../metrics/authentication.ts";
import { isLoopbackIp, networksOf } from "./ip.ts";
import { type LimiterOptions, type RateWindow, SlidingAllowance } from "./limits.ts";

/**
 * Failed attempts: 10 a minute and 50 a day for one address. Wider networks have more, so that a few addresses
 * don't use up their allowance.
 */
export const failedLoginWindows: readonly RateWindow[] = [
  { window: 60_000, limits: [10, 60, 300] },
  { window: 86_400_000, limits: [50, 500, 4000] },
];

/** Failures of an account without consequences, and after how many milliseconds one is forgotten. */
const freeFailures = 5;
const forgetAfter = 120_000;
/** Most failures of an account that are remembered: after an hour without any, all are forgotten. */
const maxFailures = 30;
/** Milliseconds to wait after the first counted failure; doubled by each further one. */
const firstDelay = 250;
/** Milliseconds: the longest such wait. */
const maxDelay = 15_000;
/** An attempt that would wait more milliseconds is refused. */
const maxWait = 20_000;
/** Least milliseconds before a failure is answered. */
const failureTime = 150;
/** Most pairs of account and network that are remembered. */
const maxPairs = 100_000;
/** Milliseconds during which a login forgives failures of its place. */
const forgivenFor = 600_000;
/** Milliseconds that a place stays known after its last login. */
const knownFor = 30 * 86_400_000;

/** An attempt that is not allowed now. */
export class LoginLimited extends Error {
  override name = "LoginLimited";
  /** Seconds until it is allowed. */
  readonly retryAfter: number;

  constructor(wait: number) {
    super("too many failed logins from your network, try again later");
    this.retryAfter = Math.min(86_400, Math.max(1, Math.ceil(wait / 1000)));
  }
}

/** Who attempts to log in. */
export interface LoginTry {
  service: AuthService;
  remoteIp: string;
  /** As typed. */
  login: string;
  /** Its account, if identified by something other than a login name. */
  account?: string;
  /** Id of the connection. */
  cid?: number;
}

/** How the attempt was made, for the log. */
export interface LoginWay {
  /** Such as "plain". */
  mechanism: string;
  /** The client's description of itself; "" if it gives none. */
  client?: string;
  /** Why it failed, in words for the log; the result if not given. */
  reason?: string;
}

/** A login attempt as reported to listeners. */
export interface AuthAttempt extends LoginTry {
  mechanism: string;
  result: AuthResult;
  client: string;
}

/** An attempt that is allowed. */
export interface Admission {
  /**
   * Ends the attempt. A successful one, or one aborted without a guess, gives its place back. Resolves when a
   * failure may be answered. Calls after the first do nothing.
   */
  done(result: AuthResult, way: LoginWay): Promise<void>;
}

/** Failures from a network at an account. */
interface Own {
  tries: number;
  /** The part of them that the account remembers. */
  failures: number;
  last: number;
}

/** Options of a guard. */
export interface LoginGuardOptions extends LimiterOptions {
  windows?: readonly RateWindow[];
  /** The account of a login name. */
  accountOf?: (login: string) => string | undefined;
  log?: Log;
  /** For tests. */
  sleep?: (ms: number) => Promise<void>;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Results that are useful to a guesser. */
const guesses: readonly AuthResult[] = ["badcreds", "badchanbind"];

export class LoginGuard {
  readonly #windows: readonly { limits: RateWindow["limits"]; allowance: SlidingAllowance }[];
  /** By account, or by name if there is no account. */
  readonly #failures = new SlidingAllowance(maxFailures * forgetAfter);
  /** When the next attempt from a network at an account may begin, by both. */
  readonly #turns = new Map<string, number>();
  /** When a network last logged in to an account, by both. */
  readonly #known = new Map<string, number>();
  /** Recent failures from a network at an account: a login there forgives them. */
  readonly #own = new Map<string, Own>();
  readonly #o: LoginGuardOptions;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;
  /** Called with attempts. */
  onAttempt: ((attempt: AuthAttempt) => void) | undefined;

  constructor(options: LoginGuardOptions = {}) {
    this.#o = options;
    this.#windows = (options.windows ?? failedLoginWindows).map((window) => ({
      limits: window.limits,
      allowance: new SlidingAllowance(window.window),
    }));
    this.#now = options.now ?? Date.now;
    this.#sleep = options.sleep ?? sleep;
  }

  /** Records an earlier login of an account from an address. */
  knows(account: string, remoteIp: string, at: number): void {
    remember(this.#known, pair(`account ${account}`, remoteIp), at);
  }

  /**
   * Takes a place for an attempt, and waits if its account has had many failures.
   * @throws LoginLimited, noted in the log
   */
  async admit(t: LoginTry): Promise<Admission> {
    const start = performance.now();
    const exempt = this.#o.exemptLoopback === true && isLoopbackIp(t.remoteIp);
    const who = this.#who(t);
    const key = pair(who, t.remoteIp);
    const now = this.#now();
    const known = (this.#known.get(key) ?? -Infinity) > now - knownFor;
    // A known place has its own allowance, which others can't use up.
    const used = known ? [key] : networksOf(t.remoteIp);
    if (!exempt) {
      const wait = this.#wait(used, now);
      if (wait > 0) throw this.#limited(t, wait);
    }
    const delay = exempt || known ? 0 : this.#delay(who, key, now);
    if (delay > maxWait) throw this.#limited(t, delay);
    this.#use(used, 1, now);
    const failure = Math.max(0, Math.min(1, this.#room(who, now)));
    this.#failures.use(who, maxFailures, failure, now);
    const before = this.#own.get(key);
    const late = before !== undefined && before.last > now - forgivenFor ? before : undefined;
    remember(this.#own, key, {
      tries: (late?.tries ?? 0) + 1,
      failures: (late?.failures ?? 0) + failure,
      last: now,
    });
    if (delay > 0) await this.#sleep(delay);
    let ended = false;
    return {
      done: async (result, way) => {
        if (ended) return;
        ended = true;
        this.note(t, result, way);
        const failed = guesses.includes(result);
        if (!failed) this.#giveBack(who, key, used, result === "ok" ? undefined : failure);
        if (result === "ok") remember(this.#known, key, this.#now());
        if (!failed || exempt) return;
        const left = failureTime - (performance.now() - start);
        if (left > 0) await this.#sleep(left);
      },
    };
  }

  /** Reports an attempt to metrics, log and listeners. For attempts with a name, {@link admit} does this. */
  note(t: LoginTry, result: AuthResult, way: LoginWay): void {
    countAuthentication(t.service, way.mechanism, result);
    this.onAttempt?.({
      service: t.service,
      remoteIp: t.remoteIp,
      login: t.login,
      mechanism: way.mechanism.toLowerCase(),
      result,
      client: way.client ?? "",
    });
    // A client that is asked for a code, or aborts, has not failed.
    const what = result === "ok" ? "login" : result === "aborted" ? "unfinished login" : undefined;
    this.#log(what ?? "failed login", t, {
      mechanism: way.mechanism.toLowerCase(),
      reason: result === "ok" ? undefined : way.reason ?? result,
    });
  }

  /** One form for all protocols: programs that watch the log depend on it (contrib/fail2ban). */
  #log(what: string, t: LoginTry, more: { mechanism?: string; reason: string | undefined }): void {
    const log = t.cid === undefined ? this.#o.log : this.#o.log?.withCid(t.cid);
    const fields = {
      remote: t.remoteIp,
      login: t.login.slice(0, 200),
      reason: more.reason,
      service: t.service,
      mechanism: more.mechanism || undefined,
    };
    // Programs send their password with each call.
    if (what === "login" && more.mechanism?.startsWith("http")) log?.debug(what, fields);
    else log?.info(what, fields);
  }

  #limited(t: LoginTry, wait: number): LoginLimited {
    countAuthenticationLimited(t.service);
    this.note(t, "limited", { mechanism: "" });
    return new LoginLimited(wait);
  }

  #who({ login, account = this.#o.accountOf?.(login) }: LoginTry): string {
    if (account !== undefined) return `account ${account}`;
    return `name ${login.slice(0, 300).toLowerCase()}`;
  }

  #wait(used: readonly string[], now: number): number {
    return Math.max(
      ...this.#windows.flatMap(({ limits, allowance }) =>
        used.map((k, i) => allowance.wait(k, limits[i], 1, now))
      ),
    );
  }

  #use(used: readonly string[], n: number, now: number): void {
    for (const { limits, allowance } of this.#windows) {
      for (const [i, k] of used.entries()) {
        if (used.indexOf(k) === i) allowance.use(k, limits[i], n, now);
      }
    }
  }

  /** How many more failures an account remembers. */
  #room(who: string, now: number): number {
    return maxFailures - this.#failures.used(who, maxFailures, now);
  }

  /**
   * Milliseconds that an attempt from an unknown place waits; attempts from one network wait for each other.
   */
  #delay(who: string, key: string, now: number): number {
    const over = Math.floor(maxFailures - this.#room(who, now)) - freeFailures;
    if (over < 0) return 0;
    const each = Math.min(maxDelay, firstDelay * 2 ** over);
    const begin = Math.max(now, this.#turns.get(key) ?? 0) + each;
    if (begin - now <= maxWait) remember(this.#turns, key, begin);
    return begin - now;
  }

  /**
   * Gives a place back, including the failure it counted; after a login also the earlier failures from its
   * network.
   */
  #giveBack(who: string, key: string, used: readonly string[], failure: number | undefined): void {
    const now = this.#now();
    const own = this.#own.get(key) ?? { tries: 1, failures: failure ?? 0, last: now };
    const [tries, failures] = failure === undefined ? [own.tries, own.failures] : [1, failure];
    this.#use(used, -tries, now);
    this.#failures.use(who, maxFailures, -failures, now);
    if (own.tries > tries) {
      remember(this.#own, key, {
        ...own,
        tries: own.tries - tries,
        failures: own.failures - failures,
      });
    } else this.#own.delete(key);
  }
}

const pair = (who: string, ip: string) => `${networksOf(ip)[0]} ${who}`;

/** Sets a value; forgets the one set longest ago if there are too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > maxPairs) { for (const [first] of map) return void map.delete(first); }
}
