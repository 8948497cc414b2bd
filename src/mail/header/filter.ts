/**
 * Choosing fields of a header by name, byte for byte (RFC 9051 §6.4.5.1).
 *
 * @module
 */

/**
 * Fields that mail programs show or sort by. They are stored in addition to the message, so that lists can be
 * shown without opening it. Trace and signature fields are not included: they are large and rarely requested.
 */
export const listedFields: ReadonlySet<string> = new Set([
  ...["from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id"],
  ...["in-reply-to", "references", "thread-index", "thread-topic", "comments", "keywords"],
  ...["mime-version", "content-type", "content-transfer-encoding", "content-disposition"],
  ...["content-language", "content-class", "content-description", "content-id"],
  ...["priority", "x-priority", "x-msmail-priority", "importance", "x-importance", "sensitivity"],
  ...["list-id", "list-post", "list-unsubscribe", "list-unsubscribe-post", "list-archive"],
  ...["list-help", "list-subscribe", "list-owner", "mailing-list", "precedence"],
  ...["x-mailing-list", "x-list", "x-been-there", "x-beenthere", "x-loop"],
  ...["newsgroups", "followup-to", "mail-followup-to", "mail-reply-to", "auto-submitted"],
  ...["x-auto-response-suppress", "disposition-notification-to", "return-receipt-to"],
  ...["resent-date", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc"],
  ...["resent-message-id", "delivered-to", "x-original-to", "envelope-to", "return-path"],
  ...["x-mailer", "user-agent", "x-newsreader", "organization", "x-face", "face", "autocrypt"],
  ...["x-label", "x-keywords", "x-status", "status", "x-mozilla-status", "x-mozilla-status2"],
  ...["x-mozilla-keys", "x-mozilla-draft-info", "x-identity-key", "x-account-key", "fcc"],
  ...["x-spam-flag", "x-spam-status", "x-spam-level", "x-spam-score", "x-bogosity", "x-spam"],
  ...["x-uniform-type-identifier", "x-universally-unique-identifier", "x-draft-info"],
  ...["x-uid", "x-gmail-labels", "x-gm-labels", "x-has-attach", "x-attachment", "x-attachments"],
]);

/** Fields of a header block whose names are (or, with `not`, aren't) in the set; without an empty line. */
export function chooseFields(
  header: Uint8Array,
  names: ReadonlySet<string>,
  not: boolean,
): Uint8Array {
  const out = new Uint8Array(header.length);
  let n = 0;
  let keep = false;
  let next = header.indexOf(58);
  for (let i = 0; i < header.length;) {
    let end = header.indexOf(10, i);
    end = end < 0 ? header.length : end + 1;
    const first = header[i];
    if (first === 13 || first === 10) break;
    if (first !== 32 && first !== 9) {
      // Searched once: otherwise each line without one would cause a search to the end.
      if (next >= 0 && next < i) next = header.indexOf(58, i);
      let colon = next < 0 || next > end ? end : next;
      // No requested name is that long.
      if (colon - i > 1000) colon = i;
      let name = "";
      for (let k = i; k < colon; k++) name += String.fromCharCode(header[k]);
      keep = names.has(name.trimEnd().toLowerCase()) !== not;
    }
    if (keep) {
      out.set(header.subarray(i, end), n);
      n += end - i;
    }
    i = end;
  }
  return out.subarray(0, n);
}

/** The same for lines of text. */
export function chooseFieldLines(text: string, names: ReadonlySet<string>): string {
  let out = "";
  let keep = false;
  let next = text.indexOf(":");
  for (let i = 0; i < text.length;) {
    let end = text.indexOf("\n", i);
    end = end < 0 ? text.length : end + 1;
    const first = text.charCodeAt(i);
    if (first !== 32 && first !== 9) {
      if (next >= 0 && next < i) next = text.indexOf(":", i);
      const colon = next < 0 || next > end ? end : next;
      keep = names.has(text.slice(i, colon).trimEnd().toLowerCase());
    }
    if (keep) out += text.slice(i, end);
    i = end;
  }
  return out;
}

/** Most characters of listed fields that are stored for a message. */
const maxListed = 8 * 1024;

/**
 * The listed fields of header blocks, one after the other, as lines. Undefined if they aren't plain ASCII, are
 * too large, or end in the middle of a line: then the message itself must be read.
 */
export function listedLines(blocks: readonly Uint8Array[]): string | undefined {
  let text = "";
  for (const b of blocks) {
    const chosen = chooseFields(b, listedFields, false);
    if (text.length + chosen.length > maxListed) return undefined;
    if (chosen.length > 0 && chosen[chosen.length - 1] !== 10) return undefined;
    for (const byte of chosen) if (byte > 127 || byte === 0) return undefined;
    text += latin1.decode(chosen);
  }
  return text;
}

const latin1 = new TextDecoder("latin1");
