/**
 * GETMETADATA and SETMETADATA (RFC 5464).
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { type Answer, ImapBad, ImapNo } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import { metadataText } from "../metadata_text.ts";
import type { Session } from "../session.ts";
import { maxAnnotationBytes } from "../../../store/annotations.ts";

/** Bytes of an entry's name. */
const maxEntryName = 250;

/** The mailbox, 0 for the server's own annotations. */
function target(s: Session, name: string): number {
  return name === "" ? 0 : s.mailbox(name).id;
}

/** RFC 5464 §3.2: begins with "/private/" or "/shared/", no wildcards, no empty components. */
function checkEntry(name: string): void {
  if (!/^\/(private|shared)(\/[^/]+)+$/i.test(name) || name.length > maxEntryName) {
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
    return (): Answer | void => {
      for (const e of entries) checkEntry(e);
      const id = target(s, name);
      const r = metadataText(s, id, entries, depth, { maxSize });
      if (r.pieces.length > 0) {
        s.conn.write(`* METADATA ${name === "" ? '""' : s.mailboxText(s.mailbox(name).name)} (`);
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
      await s.store.annotations.set(target(s, name), entries, s.listener);
    };
  },
};
