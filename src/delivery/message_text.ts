/**
 * The parts of a message that the junk filter sees: decoded texts, headers, names of attachments.
 *
 * @module
 */
import { emailStructure } from "../store/messages/content.ts";
import type { EmailId } from "../store/ids.ts";
import type { MessageText } from "../junk/mod.ts";
import { splitHeader } from "../mail/header/header.ts";
import {
  decodeText,
  fileNameOf,
  isEncodedMessage,
  openEncodedMessage,
} from "../mail/structure/contents.ts";
import { leaves, type Part } from "../mail/structure/structure.ts";
import { unpackStructure } from "../mail/structure/packed.ts";
import { decodeWords } from "../mail/header/words.ts";
import type { Account } from "../store/account/account.ts";

/** Most bytes read of a header and of a part; the filter has its own limits in addition. */
const maxHeaderBytes = 64 * 1024;
const maxPartBytes = 256 * 1024;
/** Most bytes decoded of all parts together: more than the filter reads. */
const maxTextBytes = 1024 * 1024;

/**
 * The texts of a message.
 * @param prefix the bytes that are, or will be, in front of the message
 * @param read returns bytes of the message that the structure describes
 */
export function messageText(
  root: Part,
  read: (from: number, to: number) => Uint8Array,
  prefix: Uint8Array = new Uint8Array(0),
): MessageText {
  const texts: { html: boolean; text: string }[] = [];
  const attachments: string[] = [];
  collect(root, read, 0, texts, attachments, { left: maxTextBytes });
  const header = read(0, Math.min(root.bodyOffset, maxHeaderBytes));
  return {
    headers: [...splitHeader(prefix), ...splitHeader(header)]
      .map((f) => [f.name, decodeWords(f.value)] as const),
    texts,
    attachments,
  };
}

/** Levels of nested encoded messages that are read. */
const maxEncoded = 3;

function collect(
  root: Part,
  read: (from: number, to: number) => Uint8Array,
  depth: number,
  texts: { html: boolean; text: string }[],
  attachments: string[],
  budget: { left: number },
): void {
  for (const p of leaves(root)) {
    const name = fileNameOf(p);
    if (name !== "") attachments.push(name);
    if (budget.left <= 0) continue;
    if (isEncodedMessage(p) && depth < maxEncoded) {
      budget.left -= p.endOffset - p.bodyOffset;
      const inner = openEncodedMessage(p, read(p.bodyOffset, p.endOffset));
      collect(inner.root, inner.read, depth + 1, texts, attachments, budget);
    } else if (p.type === "text" && p.disposition !== "attachment") {
      budget.left -= Math.min(p.endOffset - p.bodyOffset, maxPartBytes);
      const raw = read(p.bodyOffset, Math.min(p.endOffset, p.bodyOffset + maxPartBytes));
      texts.push({ html: p.subtype === "html", text: decodeText(p, raw) });
    }
  }
}

/** The texts of a stored message. @throws file errors if the message is gone. */
export function storedMessageText(account: Account, emailId: EmailId): MessageText {
  const root = unpackStructure(emailStructure(account.db, emailId) ?? '[0,0,0,0,"text/plain"]');
  const reader = account.openMessage(emailId);
  try {
    return messageText(root, (from, to) => reader.read(from, to));
  } finally {
    reader.close();
  }
}
