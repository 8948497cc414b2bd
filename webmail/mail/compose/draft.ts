/**
 * Keeps a message that is being written: in the browser at once, on the server within seconds, and the same
 * in all windows.
 *
 * @module
 */
import { call, CallError } from "../../api/client.ts";
import type { Attach, Composition, SendOptions } from "../../api/mod.ts";
import { errorText } from "../../lib/notify.ts";
import { forgetWritten, holdWritten, keepWritten, type Written } from "./journal.ts";
import { t } from "../../lib/text.ts";

/** What is written now. */
export interface Content {
  composition: Composition;
  options: SendOptions;
  files: Written["files"];
}

export interface DraftOptions {
  account: string;
  key: string;
  draftId: number | null;
  content: () => Content;
  /** The server has them now as parts of the draft. */
  onAttachments: (sent: readonly Attach[], saved: readonly Attach[]) => void;
  onState: (text: string) => void;
  /** Another window has saved it, and the text here is different. */
  onConflict: (theirs: number) => void;
  /** Another window has saved it, and nothing was written here since. */
  onOther: (composition: Composition, options: SendOptions) => void;
  /** It was sent or thrown away in another window; `written` here since. */
  onGone: (how: "sent" | "discarded", written: boolean) => void;
  /** The session has ended. */
  onLogin: () => void;
}

export interface Draft {
  key: string;
  id(): number | null;
  /** Something was written. */
  changed(): void;
  /** Saves now; resolves when this is done, or has failed. */
  save(o?: { force?: boolean }): Promise<void>;
  /** Something isn't on the server yet. */
  dirty(): boolean;
  /** It was sent, or thrown away: nothing is kept, and other windows close theirs. */
  gone(how: "sent" | "discarded" | "replaced"): void;
  /** Resolves when nothing is being saved. */
  settled(): Promise<void>;
  /** Ends; what the server doesn't have stays in the browser. */
  close(): void;
}

/** Milliseconds after the last key until it is saved on the server, and the most that a fast writer waits. */
const saveAfter = 1_200;
const saveWithin = 3_500;
/** Milliseconds until it is kept in the browser. */
const keepWithin = 250;
/** Milliseconds until a save that failed is tried again. */
const retryAfter = 8_000;
/** Versions that were sent and not answered, at most: the last ones. */
const mostUnanswered = 50;

interface Told {
  account: string;
  key: string;
  from: string;
  how: "saved" | "sent" | "discarded";
  draftId?: number;
  composition?: Composition;
  options?: SendOptions;
}

/** Starts keeping a message. */
export function keepDraft(o: DraftOptions): Draft {
  const me = crypto.randomUUID();
  const channel = new BroadcastChannel("mox-webmail-written");
  const release = holdWritten(o.key);
  let draftId = o.draftId;
  let version = 0;
  let saved = 0;
  let first = 0;
  let saving: Promise<void> | undefined;
  let saveTimer: ReturnType<typeof setTimeout> | undefined;
  let keepTimer: ReturnType<typeof setTimeout> | undefined;
  let keeping: Promise<unknown> = Promise.resolve();
  let conflict = false;
  let closed = false;
  /** What was sent, and no answer came: each of them may be what the server has. */
  let unanswered: Composition[] = [];

  const dirty = () => version !== saved;
  const tell = (t: Omit<Told, "account" | "key" | "from">) =>
    channel.postMessage({ account: o.account, key: o.key, from: me, ...t });

  function keep(): void {
    clearTimeout(keepTimer);
    keepTimer = undefined;
    if (closed || !dirty()) return;
    const { account, key } = o;
    const c = o.content();
    keeping = keeping.then(() => keepWritten({ account, key, draftId, ...c }));
  }

  function changed(): void {
    version++;
    const now = Date.now();
    if (first === 0) first = now;
    keepTimer ??= setTimeout(keep, keepWithin);
    clearTimeout(saveTimer);
    if (conflict) return;
    const wait = Math.max(0, Math.min(saveAfter, first + saveWithin - now));
    saveTimer = setTimeout(() => void save(), wait);
  }

  async function save({ force = false } = {}): Promise<void> {
    clearTimeout(saveTimer);
    while (saving !== undefined) await saving;
    if (closed || (!dirty() && !force) || (conflict && !force)) return;
    saving = store(force).finally(() => saving = undefined);
    await saving;
  }

  async function store(force: boolean): Promise<void> {
    const { composition, options } = o.content();
    const mine = version;
    first = 0;
    o.onState(t("Saving…"));
    unanswered = [...unanswered.slice(1 - mostUnanswered), composition];
    try {
      const r = await call("DraftSave", { draftId, key: o.key, force, composition, options });
      if (closed) return;
      if (r.draftId === null) return o.onGone("sent", true);
      if (r.conflict) return await meet(r.draftId);
      conflict = false;
      unanswered = [];
      draftId = r.draftId;
      saved = mine;
      o.onAttachments(composition.attachments, r.attachments);
      const { composition: c, options: opts } = o.content();
      if (dirty()) changed();
      else {
        o.onState(t("Draft saved"));
        keeping = keeping.then(() => forgetWritten(o.key));
        tell({ how: "saved", draftId, composition: c, options: opts });
      }
    } catch (e) {
      if (closed) return;
      if (e instanceof CallError && e.code === "login") o.onLogin();
      keep();
      o.onState(
        e instanceof CallError && (e.code === "network" || e.code === "login")
          ? t("Kept in this browser until the server can be reached")
          : t("Draft is not saved: {0}", errorText(e)),
      );
      clearTimeout(saveTimer);
      saveTimer = setTimeout(() => void save(), retryAfter);
    }
  }

  /**
   * Another draft is there than the one that is known. Either another window has saved, maybe the same words; or the
   * answer to a save of this one was lost, and it is this one's own.
   */
  async function meet(theirId: number): Promise<void> {
    const theirs = await call("DraftGet", { id: theirId });
    if (closed) return;
    const own = unanswered.findLast((c) => sameText(theirs.composition, c));
    if (own !== undefined) {
      draftId = theirId;
      const { attachments } = o.content().composition;
      o.onAttachments(attachments, partsThere(attachments, theirs.composition.attachments));
      changed();
      return;
    }
    conflict = true;
    o.onState("");
    o.onConflict(theirId);
  }

  channel.onmessage = (event: MessageEvent<Told>) => {
    const t = event.data;
    if (closed || t.account !== o.account || t.key !== o.key || t.from === me) return;
    if (t.how !== "saved") return o.onGone(t.how, dirty());
    if (dirty() || t.composition === undefined || t.options === undefined) return;
    draftId = t.draftId ?? draftId;
    o.onOther(t.composition, t.options);
    saved = version;
  };
  const online = () => void save();
  addEventListener("online", online);
  // Whatever ends the page, the last words are kept.
  addEventListener("pagehide", keep);

  function end(): void {
    closed = true;
    clearTimeout(saveTimer);
    clearTimeout(keepTimer);
    removeEventListener("online", online);
    removeEventListener("pagehide", keep);
    channel.close();
    release();
  }

  return {
    key: o.key,
    id: () => draftId,
    changed,
    save,
    dirty,
    gone: (how) => {
      if (how !== "replaced") tell({ how });
      end();
      keeping.then(() => forgetWritten(o.key));
    },
    settled: async () => {
      while (saving !== undefined) await saving;
    },
    close: () => {
      keep();
      end();
    },
  };
}

/** Files as parts of the draft that has taken the place of the known one, where it has them. */
function partsThere(files: readonly Attach[], there: readonly Attach[]): Attach[] {
  const left = there.filter((a) => a.kind === "part");
  return files.map((a) => {
    if (a.kind !== "part") return a;
    const i = left.findIndex((x) => x.filename === a.filename && x.cid === a.cid);
    return i < 0 ? a : left.splice(i, 1)[0];
  });
}

const plain = (s: string) => s.replace(/\s+/g, " ").trim();

/** Whether two versions have the same contents. */
export function sameText(a: Composition, b: Composition): boolean {
  const people = (c: Composition) => [...c.to, "", ...c.cc, "", ...c.bcc].join("\n");
  return plain(a.text) === plain(b.text) && a.subject === b.subject && people(a) === people(b) &&
    a.attachments.length === b.attachments.length;
}
