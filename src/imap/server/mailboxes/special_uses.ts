/**
 * Special uses as clients write them (RFC 6154).
 *
 * @module
 */
import { specialUseNames } from "../../../store/types.ts";
import { ImapNo } from "../session/answer.ts";

/** The bit of a use such as `\Sent`, in any case; undefined for one that mailboxes can't have here. */
export function specialUseBit(use: string): number | undefined {
  return specialUseNames.find(([, n]) => n.toLowerCase() === use.toLowerCase())?.[0];
}

/**
 * The uses in a value of the entry `/private/specialuse`: NIL for none, else names with one space between.
 * @throws ImapNo USEATTR for anything else (RFC 6154 §4)
 */
export function specialUseBits(value: Uint8Array | null): number {
  if (value === null) return 0;
  let bits = 0;
  for (const use of new TextDecoder().decode(value).split(" ")) {
    const bit = specialUseBit(use);
    if (bit === undefined) {
      throw new ImapNo(`special use ${cleaned(use)} can't be given to a mailbox`, "USEATTR");
    }
    bits |= bit;
  }
  return bits;
}

/** The name for an error text: at most 40 characters, printable ASCII only. */
function cleaned(use: string): string {
  return `"${use.slice(0, 40).replace(/[^\x21-\x7e]/g, "?")}"`;
}
