/**
 * The messages of an account on another IMAP server, for people who move in: with mailboxes, flags, keywords
 * and dates.
 *
 * Imported messages are remembered by mailbox, UIDVALIDITY and UID, so that an interrupted import continues
 * where it was, and a later one imports what is new. A broken connection is retried a few times.
 *
 * @module
 */
import { isIP } from "node:net";
import type { ImapFlow, ListResponse } from "imapflow";
import { normalizeMessageId } from "../../mail/header/messageid.ts";
import { type AddressRule, messageForUsers, type Outbound, OutboundError } from "../../net/mod.ts";
import { rareModule } from "../../platform/rare_modules.ts";
import type { Account } from "../account/account.ts";
import { accountSetting, changeAccountSetting } from "../account/settings.ts";
import { specialUseBit, usualNames } from "../transfer_index.ts";
import { SpecialUse } from "../types.ts";
import type { Followed } from "./followed.ts";
import { answersTooLarge, imapBounds, inBounds, isTooLarge, Refused } from "./imap_bounds.ts";
import { flagsOf, maxMessage, type Source, type SourceMailbox, tooLarge } from "./sources.ts";

export interface ImapOptions {
  host: string;
  port: number;
  /** TLS from the first byte; otherwise STARTTLS. */
  tls: boolean;
  user: string;
  password?: string;
  /** OAuth2 token, in place of a password. */
  accessToken?: string;
  /** How to connect to the server. */
  outbound: Outbound;
  /** Which addresses the server may have. */
  rule?: AddressRule;
  /** Without TLS; for tests on loopback. */
  plain?: boolean;
  /** Milliseconds to wait before each retry after the connection broke; starts over after each success. */
  retryDelays?: readonly number[];
}

const imapLibrary = rareModule<typeof import("./imapflow_package.ts")>(
  new URL("./imapflow_package.ts", import.meta.url),
);

/** Milliseconds before each retry of a broken connection. */
const usualDelays = [1000, 5000, 15_000, 60_000, 120_000];

/** Remembered for each mailbox of a server: its UIDVALIDITY and the highest imported UID. */
export type Brought = Record<string, { validity: string; uid: number }>;

const settingOf = (o: ImapOptions) => `imapImport ${o.user}@${o.host}`;

/** What was imported before. */
export function broughtBefore(account: Account, options: ImapOptions): Brought {
  return structuredClone(accountSetting(account, settingOf(options)) as Brought | undefined ?? {});
}

/** Remembers what was imported; durable when it resolves. */
export function rememberBrought(
  account: Account,
  options: ImapOptions,
  brought: Brought,
): Promise<void> {
  return changeAccountSetting(account, settingOf(options), () => brought);
}

/** Most addresses of a server that are tried. */
const maxAddresses = 4;
/** Messages fetched in one go. */
const batch = 50;
/** Messages that a server may report unasked meanwhile, as their flags change. */
const maxOthers = 100_000;

/** Mailboxes that only show messages of the others. */
const virtual = ["\\Flagged", "\\Important"];

/** An error response from the server, not a connection failure. */
function isAnswer(err: unknown): err is Error & { responseText?: string } {
  const e = err as { responseStatus?: string; authenticationFailed?: boolean };
  return e.responseStatus === "NO" || e.responseStatus === "BAD" || e.authenticationFailed === true;
}

const textOf = (err: Error & { responseText?: string }) => err.responseText || err.message;

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/**
 * What a user may know about why a server was not reached; the server's own response and its certificate may be
 * shown.
 */
function unreached(failure: Error | undefined): string {
  const code = (failure as { code?: string } | undefined)?.code ?? "";
  const certificate = /cert|self.signed|altname|issuer|TLS/i.test(code);
  if (certificate) return failure!.message;
  return messageForUsers(failure) ?? "it can't be reached, or is not on the internet";
}

/** Reads messages from a server. */
export class ImapSource {
  readonly #o: ImapOptions;
  /** Updated as messages come; remember it once they are stored. */
  readonly #brought: Brought;
  readonly #signal: AbortSignal;
  readonly #isThere: (messageId: string) => boolean;
  #total = 0;
  #done = 0;
  /** Whether anything was received since the connection was made. */
  #useful = false;
  /** A line, literal or answer exceeded its limit. */
  #tooLarge = false;

  /** @param isThere whether the account has a message with the Message-ID in any mailbox */
  constructor(
    options: ImapOptions,
    brought: Brought,
    signal: AbortSignal,
    isThere: (messageId: string) => boolean,
  ) {
    this.#o = options;
    this.#brought = brought;
    this.#signal = signal;
    this.#isThere = isThere;
  }

  /** Follows changes of messages imported before; if not set, nothing is followed. */
  follow: Followed | undefined;

  /** The fraction done; undefined before that is known. */
  get part(): number | undefined {
    return this.#total > 0 ? Math.min(1, this.#done / this.#total) : undefined;
  }

  /**
   * Messages that were not imported before. @throws Error with the server's response, or the signal's reason
   */
  async *messages(): Source {
    const delays = this.#o.retryDelays ?? usualDelays;
    for (let failures = 0;;) {
      this.#useful = false;
      try {
        yield* this.#connection();
        return;
      } catch (err) {
        this.#signal.throwIfAborted();
        if (err instanceof Refused || isAnswer(err)) throw err;
        if (this.#tooLarge) throw answersTooLarge(err);
        if (this.#useful) failures = 0;
        if (failures >= delays.length) throw err;
        await wait(delays[failures++], this.#signal);
        this.#signal.throwIfAborted();
      }
    }
  }

  async *#connection(): Source {
    const client = await this.#connect();
    const stop = () => client.close();
    this.#signal.addEventListener("abort", stop);
    try {
      const found = (await inBounds(client, () => client.list({ statusQuery: { messages: true } })))
        .filter((m) =>
          !m.flags.has("\\Noselect") && !m.flags.has("\\NonExistent") &&
          !virtual.some((use) => m.specialUse === use || m.flags.has(use))
        );
      this.#total = found.reduce((n, m) => n + (m.status?.messages ?? 0), 0);
      this.#done = 0;
      // The mailbox of all mail, as in Gmail, comes last: what remains then is in no other.
      const all = (m: ListResponse) => m.specialUse === "\\All" ? 1 : 0;
      // A user whose programs don't use subscriptions has none, except perhaps for the Inbox.
      const chosen = found.some((m) => m.subscribed && m.path.toUpperCase() !== "INBOX");
      for (const m of found.sort((a, b) => all(a) - all(b))) {
        yield* this.#mailbox(client, m, chosen);
      }
      await inBounds(client, () => client.logout());
    } finally {
      this.#signal.removeEventListener("abort", stop);
      client.close();
    }
  }

  /** A client for an address of the server. */
  async #client(ip: string): Promise<ImapFlow> {
    const o = this.#o;
    const { ImapFlow } = await imapLibrary();
    const client = new ImapFlow({
      host: ip,
      servername: isIP(o.host) === 0 ? o.host : undefined,
      port: o.port,
      secure: o.tls,
      doSTARTTLS: o.plain ? false : o.tls ? undefined : true,
      auth: o.accessToken
        ? { user: o.user, accessToken: o.accessToken }
        : { user: o.user, pass: o.password ?? "" },
      tls: { ca: [...o.outbound.authorities.list()] },
      logger: false,
      emitLogs: false,
      disableAutoIdle: true,
      ...imapBounds,
    });
    // Errors are reported by the command that they occur in.
    client.on("error", (err) => this.#tooLarge ||= isTooLarge(err));
    return client;
  }

  /** Logs in at the first address that answers. */
  async #connect(): Promise<ImapFlow> {
    const { host, port, outbound, rule } = this.#o;
    let failure: Error | undefined;
    try {
      for (
        const ip of (await outbound.addresses(host, rule, this.#signal)).slice(0, maxAddresses)
      ) {
        const client = await this.#client(ip);
        this.#signal.throwIfAborted();
        const stop = () => client.close();
        this.#signal.addEventListener("abort", stop);
        try {
          await inBounds(client, () => client.connect());
          return client;
        } catch (err) {
          client.close();
          this.#signal.throwIfAborted();
          const e = err as Error & { authenticationFailed?: boolean; responseText?: string };
          if (e.authenticationFailed) {
            throw new Refused(`the server refuses name and password: ${textOf(e)}`, { cause: err });
          }
          failure = e;
        } finally {
          this.#signal.removeEventListener("abort", stop);
        }
      }
    } catch (err) {
      if (!(err instanceof OutboundError)) throw err;
      failure = err;
    }
    // Which names and addresses of this network exist is not for users to know.
    const reason = rule ? unreached(failure) : failure?.message;
    const text = `can't connect to ${host}, port ${port}: ${reason}`;
    // Before anything was received this is most likely a typing mistake.
    const Kind = this.#total === 0 ? Refused : Error;
    throw new Kind(text, { cause: failure });
  }

  async *#mailbox(client: ImapFlow, response: ListResponse, chosen: boolean): Source {
    const place: SourceMailbox = {
      ...localPlace(response),
      unsubscribed: chosen && !response.subscribed,
    };
    let lock;
    try {
      lock = await inBounds(
        client,
        () => client.getMailboxLock(response.path, { readOnly: true }),
      );
    } catch (err) {
      if (!isAnswer(err)) throw err;
      yield { place: response.path, problem: `can't be opened: ${textOf(err)}` };
      return;
    }
    try {
      const box = client.mailbox;
      if (!box) return;
      const all = response.specialUse === "\\All";
      if (!all) yield place;
      const validity = String(box.uidValidity);
      if (this.follow?.knows(response.path, validity)) {
        const problem = await this.follow.follow(response.path, validity, await flagsNow(client));
        if (problem !== "") yield { place: response.path, problem };
      }
      if (box.exists === 0) return;
      const known = this.#brought[response.path]?.validity === validity
        ? this.#brought[response.path].uid
        : 0;
      this.#brought[response.path] = { validity, uid: known };
      const numbers = await inBounds(
        client,
        () => client.search({ uid: `${known + 1}:*` }, { uid: true }),
        imapBounds.maxLineLength,
      );
      const uids = (numbers || []).filter((u) => u > known).sort((a, b) => a - b);
      this.#done += box.exists - uids.length;
      for (let i = 0; i < uids.length; i += batch) {
        this.#signal.throwIfAborted();
        const part = uids.slice(i, i + batch);
        const wanted = all ? await this.#missing(client, part) : part;
        yield* this.#fetch(client, { mailbox: response.path, validity }, place, wanted);
        this.#done += part.length;
        this.#brought[response.path] = { validity, uid: part[part.length - 1] };
        this.#useful = true;
      }
    } finally {
      lock.release();
    }
  }

  /** Messages whose Message-ID does not occur in the account. */
  async #missing(client: ImapFlow, uids: number[]): Promise<number[]> {
    const missing: number[] = [];
    const query = { uid: true, envelope: true };
    await inBounds(client, async () => {
      for await (const m of client.fetch(uids.join(","), query, { uid: true })) {
        const id = normalizeMessageId(m.envelope?.messageId ?? "");
        if (id === "" || !this.#isThere(id)) missing.push(m.uid);
      }
    });
    return missing.sort((a, b) => a - b);
  }

  async *#fetch(
    client: ImapFlow,
    of: { mailbox: string; validity: string },
    to: SourceMailbox,
    uids: number[],
  ): Source {
    if (uids.length === 0) return;
    const path = of.mailbox;
    const query = { uid: true, flags: true, internalDate: true, source: true } as const;
    try {
      // Sizes first, so that messages that are too large are not sent. Missing ones were expunged meanwhile.
      const sizes = new Map<number, number>();
      await inBounds(client, async () => {
        const query = { uid: true, size: true };
        for await (const m of client.fetch(uids.join(","), query, { uid: true })) {
          sizes.set(m.uid, m.size ?? 0);
        }
      });
      for (const [uid, size] of sizes) {
        if (size > maxMessage) yield { place: `${path}, message ${uid}`, problem: tooLarge };
      }
      const small = uids.filter((u) => (sizes.get(u) ?? Infinity) <= maxMessage);
      if (small.length === 0) return;
      let others = 0;
      for await (const m of client.fetch(small.join(","), query, { uid: true })) {
        if (!small.includes(m.uid)) {
          if (++others > maxOthers) throw new Refused("the server sends what it isn't asked for");
          continue;
        }
        const place = `${path}, message ${m.uid}`;
        if (!m.source) {
          yield { place, problem: "has no content" };
          continue;
        }
        const date = m.internalDate;
        yield {
          ...to,
          place,
          content: new Uint8Array(m.source),
          ...flagsOf([...m.flags ?? []].filter((f) => f !== "\\Recent")),
          origin: { ...of, uid: m.uid, flags: [...m.flags ?? []] },
          received: date === undefined ? Date.now() : new Date(date).getTime(),
        };
      }
    } catch (err) {
      if (!isAnswer(err)) throw err;
      // A message that the server can't read would hold up the others.
      if (uids.length === 1) {
        yield { place: `${path}, message ${uids[0]}`, problem: `can't be fetched: ${textOf(err)}` };
      } else for (const u of uids) yield* this.#fetch(client, of, to, [u]);
    }
  }
}

/** Flags of all messages of the selected mailbox, by uid. */
async function flagsNow(client: ImapFlow): Promise<Map<number, string[]>> {
  const flags = new Map<number, string[]>();
  if (client.mailbox && client.mailbox.exists === 0) return flags;
  const all = "1:*";
  for await (const m of client.fetch(all, { uid: true, flags: true }, { uid: true })) {
    flags.set(m.uid, [...m.flags ?? []]);
  }
  return flags;
}

/** The local mailbox for a remote one. */
function localPlace(response: ListResponse): SourceMailbox {
  if (response.path.toUpperCase() === "INBOX") return { below: "Inbox" };
  const use = response.specialUse === "\\All"
    ? SpecialUse.Archive
    : specialUseBit(response.specialUse);
  if (use) return { below: usualNames[use], use };
  const levels = (response.delimiter ? response.path.split(response.delimiter) : [response.path])
    .map((l) =>
      // deno-lint-ignore no-control-regex
      l.normalize("NFC").replace(/[\u0000-\u001f\u007f-\u009f%*\\/]/g, "_").replace(/^#+/, "")
        .trim() || "_"
    );
  if (levels[0].toUpperCase() === "INBOX" && levels.length > 1) levels[0] = "Inbox";
  // Gmail's folder around all its special mailboxes.
  if (/^\[(?:gmail|google mail)\]$/i.test(levels[0]) && levels.length > 1) levels.shift();
  return { below: levels.join("/") };
}
