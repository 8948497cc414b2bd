/**
 * One client's session: its state and what it has enabled.
 *
 * @module
 */
import type { Log } from "../../../log/mod.ts";
import { SessionEnd } from "../../../net/mod.ts";
import type { Connection } from "../../../net/types.ts";
import type { Account } from "../../../store/account/account.ts";
import { formatMailbox, recentBit } from "../../format/text.ts";
import { ImapBad, ImapNo } from "./answer.ts";
import type { ImapBackend } from "./backend.ts";
import type { NotifyRules } from "../names/notify_rules.ts";
import type { Source } from "../names/names.ts";
import type { ProtocolTrace } from "./trace.ts";
import type { View } from "./view.ts";

/** States as bits, so that a command can name those it is allowed in. */
export const State = { NotAuthenticated: 1, Authenticated: 2, Selected: 4 } as const;

/** What ENABLE can switch on. */
export type Enabled =
  | "IMAP4REV2"
  | "CONDSTORE"
  | "QRESYNC"
  | "UTF8=ACCEPT"
  | "UIDONLY"
  | "METADATA";

/** Flags as set by the session's own change. */
export interface OwnFlags {
  modseq: number;
  flags: number;
  keywords: string[];
  /** The client wasn't told (.SILENT). */
  silent: boolean;
}

export class Session {
  readonly conn: Connection;
  readonly backend: ImapBackend;
  log: Log;
  readonly enabled = new Set<Enabled>();
  login: string | undefined;
  account: Account | undefined;
  /** Accounts whose changes are followed: the client's own first. */
  sources: Source[] = [];
  /** Other users' accounts that were opened, by name. */
  readonly shared = new Map<string, Account>();
  view: View | undefined;
  /** NOTIFY (RFC 5465); undefined is the behaviour without it. */
  notify: NotifyRules | undefined;
  compressed = false;
  /** New messages were announced at the end of a FETCH, where some clients don't listen; see idle.ts. */
  existsAfterFetch = false;
  /**
   * Flags that this session has set while changes by others were pending. The pending ones are older, and must
   * not be sent afterwards as if they were current.
   */
  readonly ownFlags = new Map<number, OwnFlags>();
  /** Commands in a row that were answered with BAD. */
  badCommands = 0;
  /** Tag of the command that runs. */
  tag = "";
  /** Set by LOGOUT, or when the session can't go on. */
  ended = false;
  /** Ends the session from outside: see LoggedIn. */
  readonly ending: SessionEnd;
  /** Called when the session is over. */
  onClose: (() => void) | undefined;

  /** The protocol trace, for the log. */
  trace: ProtocolTrace | undefined;

  /** Capabilities of all commands. */
  readonly commandCapabilities: readonly string[];

  constructor(
    conn: Connection,
    backend: ImapBackend,
    log: Log,
    commandCapabilities: readonly string[],
  ) {
    this.commandCapabilities = commandCapabilities;
    this.conn = conn;
    this.ending = new SessionEnd(conn);
    this.backend = backend;
    this.log = log;
  }

  get state(): number {
    if (!this.account) return State.NotAuthenticated;
    return this.view ? State.Selected : State.Authenticated;
  }

  /** Names and texts go out in UTF-8. */
  get utf8(): boolean {
    return this.enabled.has("IMAP4REV2") || this.enabled.has("UTF8=ACCEPT");
  }
  get condstore(): boolean {
    return this.enabled.has("CONDSTORE") || this.enabled.has("QRESYNC");
  }
  /** Expunges are announced by uid. */
  get vanished(): boolean {
    return this.enabled.has("QRESYNC") || this.enabled.has("UIDONLY");
  }
  get uidOnly(): boolean {
    return this.enabled.has("UIDONLY");
  }

  /** The client gets \Recent, which IMAP4rev1 has and IMAP4rev2 has not: it has enabled nothing newer. */
  get tellsRecent(): boolean {
    return this.enabled.size === 0;
  }

  /** Flags of a message of the selected mailbox as the client sees them. */
  shownFlags(uid: number, flags: number): number {
    const v = this.view;
    return v !== undefined && v.recent.length > 0 && this.tellsRecent && v.isRecent(uid)
      ? flags | recentBit
      : flags;
  }

  /** An untagged line. */
  untagged(line: string): void {
    this.conn.write(`* ${line}\r\n`);
  }

  /** @throws ImapBad outside the authenticated states, which the table prevents. */
  get store(): Account {
    if (!this.account) throw new ImapBad("not logged in");
    return this.account;
  }
  get selected(): View {
    if (!this.view) throw new ImapBad("no mailbox selected");
    return this.view;
  }

  /** The selected view, if it may be changed. */
  writable(): View {
    const v = this.selected;
    if (v.readOnly) throw new ImapNo("mailbox is selected read-only", "READ-ONLY");
    return v;
  }

  /** Leaves the selected mailbox. */
  closeView(): void {
    const source = this.view?.source;
    this.view = undefined;
    if (source === undefined || source === this.sources[0] || this.notify) return;
    source.listener.close();
    this.sources = this.sources.filter((x) => x !== source);
  }

  mailboxText(name: string): string {
    return formatMailbox(name, this.utf8);
  }

  /** Switches CONDSTORE on by a command that implies it (RFC 7162 §3.1). */
  enableCondstore(): void {
    if (this.condstore) return;
    this.enabled.add("CONDSTORE");
    this.tellHighestModseq();
  }

  /** Of the selected mailbox, if any. */
  tellHighestModseq(): void {
    if (!this.view) return;
    const { account, mailboxId } = this.view;
    this.untagged(`OK [HIGHESTMODSEQ ${account.highestModseq(mailboxId)}] now`);
  }

  /** Refuses commands by sequence number where only uids are used (RFC 9586 §3). */
  requireSequenceNumbers(): void {
    if (this.uidOnly) throw new ImapBad("use uids", "UIDREQUIRED");
  }

  /** Remembers flags set by this session until pending changes have been sent. */
  noteOwnFlags(
    changed: readonly { uid: number; modseq: number; flags: number; keywords: string[] }[],
    silent: boolean,
  ): void {
    const { view } = this;
    if (view && view.contexts.length > 0) view.touched.push(...changed.map((c) => c.uid));
    if (!view?.source.listener.pending) return;
    for (const c of changed) this.ownFlags.set(c.uid, { ...c, silent });
  }

  /** Back to the state before login (RFC 8437 §2): nothing stays enabled or selected. */
  unauthenticate(): void {
    this.#release();
    this.enabled.clear();
    this.ownFlags.clear();
    this.notify = undefined;
    this.login = undefined;
    this.existsAfterFetch = false;
    this.log = this.backend.log.withCid(this.conn.cid);
  }

  /** Releases everything that the session holds. */
  close(): void {
    this.ending.over();
    this.#release();
  }

  #release(): void {
    this.onClose?.();
    this.onClose = undefined;
    this.view = undefined;
    for (const { listener } of this.sources) listener.close();
    for (const account of this.shared.values()) account.close();
    this.account?.close();
    this.sources = [];
    this.shared.clear();
    this.account = undefined;
  }
}
