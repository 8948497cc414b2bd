/** Gmail's labels in its mailbox files: the mailbox and the flags that they represent. @module */
import { decodeWords } from "../../mail/header/words.ts";
import { encodeUtf7 } from "../../mail/text/utf7.ts";
import { SpecialUse } from "../types.ts";

/**
 * Labels that give a message's mailbox (the first match is used), in the languages that Gmail writes them in.
 */
const places: { names: string[]; below: string; use?: number }[] = [
  {
    names: ["trash", "bin", "papierkorb", "corbeille", "papelera", "prullenbak", "cestino"],
    below: "Trash",
    use: SpecialUse.Trash,
  },
  { names: ["spam"], below: "Junk", use: SpecialUse.Junk },
  {
    names: ["drafts", "draft", "entwürfe", "brouillons", "borradores", "concepten", "bozze"],
    below: "Drafts",
    use: SpecialUse.Drafts,
  },
  {
    names: ["inbox", "posteingang", "boîte de réception", "recibidos", "postvak in"],
    below: "Inbox",
  },
  {
    names: ["sent", "gesendet", "messages envoyés", "enviados", "verzonden", "inviati"],
    below: "Sent",
    use: SpecialUse.Sent,
  },
];

const unread = new Set(["unread", "ungelesen", "non lus", "no leídos", "ongelezen", "da leggere"]);
const starred = new Set(["starred", "markiert", "suivis", "destacados", "met ster", "speciali"]);
const important = new Set(["important", "wichtig", "importants", "importantes", "belangrijk"]);
/** Labels without a meaning here. */
const silent = new Set([
  ...["opened", "geöffnet", "ouvert", "abiertos", "geopend", "aperti"],
  ...["archived", "archiviert", "messages archivés", "archivados", "gearchiveerd"],
]);

/** The meaning of a message's labels. */
export interface GmailLabels {
  /** Empty without labels. */
  mailbox: { below?: string; use?: number };
  /** Names of flags, and keywords. */
  flags: string[];
  /** Keyword of the label that names the mailbox, for use where labels don't choose the mailbox. */
  mailboxKeywords: string[];
}

/** Splits the field at commas; labels with a comma are in quotes. */
function split(value: string): string[] {
  const labels = decodeWords(value).match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
  return labels.map((l) => l.trim().replace(/^"([^]*)"$/, "$1").replaceAll('""', '"').trim())
    .filter((l) => l !== "");
}

/** A keyword for a label: without accents and blanks, other letters in modified UTF-7. */
function keyword(label: string): string {
  const plain = label.replaceAll("ß", "ss").normalize("NFKD").replace(/\p{M}/gu, "")
    .replace(/[\s"%*(){}\\\]]+/g, "-");
  return encodeUtf7(plain).slice(0, 100);
}

/** Interprets X-Gmail-Labels of a Takeout. */
export function gmailLabels(value: string): GmailLabels {
  const labels = split(value);
  const result: GmailLabels = { mailbox: {}, flags: [], mailboxKeywords: [] };
  if (labels.length === 0) return result;
  const lower = labels.map((l) => l.toLowerCase());
  const place = places.find((p) => p.names.some((n) => lower.includes(n)));
  if (!lower.some((l) => unread.has(l))) result.flags.push("Seen");
  if (lower.some((l) => starred.has(l))) result.flags.push("Flagged");
  if (lower.some((l) => important.has(l))) result.flags.push("$Important");
  if (place?.use === SpecialUse.Drafts) result.flags.push("Draft");
  if (place?.use === SpecialUse.Junk) result.flags.push("Junk");
  const known = (l: string) =>
    unread.has(l) || starred.has(l) || important.has(l) || silent.has(l) ||
    places.some((p) => p.names.includes(l));
  // Gmail's automatic categories are not mailboxes.
  const own = labels.filter((l) => !known(l.toLowerCase()));
  const folder = own.find((l) => !/^(?:category|kategorie|catégorie|categoría)\b/i.test(l));
  if (place) result.mailbox = { below: place.below, ...place.use ? { use: place.use } : {} };
  else if (folder) result.mailbox = { below: folder };
  else result.mailbox = { below: "Archive", use: SpecialUse.Archive };
  for (const l of own) {
    (l === folder && !place ? result.mailboxKeywords : result.flags).push(keyword(l));
  }
  return result;
}
