/**
 * GETMETADATA and SETMETADATA (RFC 5464).
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { type Answer, ImapBad, ImapNo } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import { isPrivateEntry, metadataText } from "../metadata_text.ts";
import { place, type Source } from "../places.ts";
import type { Session } from "../session.ts";
import { maxAnnotationBytes } from "../../../store/annotations.ts";

/** Bytes of an entry's name. */
const maxEntryName = 250;

/** The mailbox, 0 for the server's own annotations, in its account. */
async function target(
  s: Session,
  name: string,
  letters: string,
): Promise<{ source: Source; id: number; name: string }> {
  if (name === "") return { source: s.sources[0], id: 0, name: "" };
  const p = await place(s, name, letters);
  // RFC 5464 §3.3: that and the right to look it up.
  if (!p.rights.includes("l")) throw new ImapNo("no such mailbox", "NONEXISTENT");
  const source = s.sources.find((x) => x.account === p.account) ??
    { account: p.account, listener: s.sources[0].listener, prefix: "" };
  return { source, id: p.mailbox.id, name: p.name };
}

/**
 * RFC 5464 §3.2: begins with "/private/" or "/shared/", no wildcards, no empty components. What is above all
 * entries can be asked for with a depth.
 */
function checkEntry(name: string, depth = 0): void {
  const whole = depth > 0 ? /^\/(private|shared)(\/[^/]+)*$/i : /^\/(private|shared)(\/[^/]+)+$/i;
  if (!whole.test(name) || name.length > maxEntryName) {
    throw new ImapBad("entry name must begin with /private/ or /shared/ and have no empty parts");
  }
  // deno-lint-ignore no-control-regex
  if (/[*%\x00-\x1f\x7f-\uffff]/.test(name)) {
    throw new ImapBad("entry name has a character that is not allowed");
  }
}

export const getMetadata: Command = {
  name: "GETMETADATA",
  states: loggedIn,
  capabilities: ["METADATA"],
  parse(c, s) {
    c.sp();
    let depth = 0;
    let maxSize: number | undefined;
    const options = () =>
      c.list(() => {
        if (c.oneOf(["MAXSIZE", "DEPTH"], "MAXSIZE or DEPTH") === "MAXSIZE") {
          c.sp();
          maxSize = c.number64("size");
        } else {
          c.sp();
          const w = c.oneOf(["0", "1", "INFINITY"], "0, 1 or infinity");
          depth = w === "0" ? 0 : w === "1" ? 1 : Infinity;
        }
      });
    // RFC 5464 §4.2 has the options first; its erratum and clients put them after the mailbox too.
    if (c.at("(")) {
      options();
      c.sp();
    }
    const name = c.mailbox();
    c.sp();
    if (c.at("(")) {
      const next = String.fromCharCode(c.bytes[c.pos + 1] ?? 0);
      if (next === "M" || next === "m" || next === "D" || next === "d") {
        options();
        c.sp();
      }
    }
    const entries = c.at("(") ? c.list(() => c.astring("entry name")) : [c.astring("entry name")];
    return async (): Promise<Answer | void> => {
      for (const e of entries) checkEntry(e, depth);
      // RFC 5464 §4.2 with RFC 4314: who may read the mailbox may read what is noted about it.
      const { source: { account }, id, name: found } = await target(s, name, "r");
      const sharedOnly = account !== s.account;
      const r = metadataText(account, id, entries, depth, { maxSize, sharedOnly });
      if (r.pieces.length > 0) {
        s.conn.write(`* METADATA ${found === "" ? '""' : s.mailboxText(found)} (`);
        for (const p of r.pieces) s.conn.write(p);
        s.conn.write(")\r\n");
      }
      if (r.longest > 0) {
        return { code: `METADATA LONGENTRIES ${r.longest}`, text: "some values are longer" };
      }
    };
  },
};

function readValue(c: Cursor): Uint8Array | null {
  if (c.takeWord("NIL")) return null;
  if (c.at("~") || c.at("{")) return c.literal(true).slice();
  return c.quotedBytes().slice();
}

export const setMetadata: Command = {
  name: "SETMETADATA",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const entries = c.list(() => {
      const key = c.astring("entry name");
      c.sp();
      return { key, value: readValue(c) };
    });
    return async () => {
      for (const e of entries) {
        checkEntry(e.key);
        if (e.value && e.value.length > maxAnnotationBytes) {
          throw new ImapNo("value is too long", `METADATA MAXSIZE ${maxAnnotationBytes}`);
        }
      }
      const { source: { account, listener }, id } = await target(s, name, "w");
      if (account !== s.account && entries.some((e) => isPrivateEntry(e.key))) {
        throw new ImapNo(
          "private notes are kept for mailboxes of your own only",
          "METADATA NOPRIVATE",
        );
      }
      await account.annotations.set(id, entries, listener);
    };
  },
};
