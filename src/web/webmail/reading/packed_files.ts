/** Files that stand in other parts of a message: in texts by uuencode, and in winmail.dat. @module */
import type { Attachment } from "../../../../webmail/api/mod.ts";
import { fileNameOf } from "../../../mail/structure/contents.ts";
import type { Part } from "../../../mail/structure/structure.ts";
import { tnefFiles } from "../../../mail/transfer/tnef.ts";
import { type PackedFile, uuencodedFiles } from "../../../mail/transfer/uuencode.ts";
import { type MessageContent, partBytes } from "./content.ts";
import { numberedParts, partByPath, sortParts } from "./parts.ts";

/** Bytes of a part that is looked into. */
const maxPart = 20 * 1024 * 1024;

const isTnef = (p: Part) =>
  /^application\/(?:vnd\.)?ms-tnef$/.test(`${p.type}/${p.subtype}`) ||
  (p.type === "application" && fileNameOf(p).toLowerCase() === "winmail.dat");

/** The files in a part, if it is of such a kind. */
function filesIn(c: MessageContent, p: Part): PackedFile[] {
  if (p.endOffset - p.bodyOffset > maxPart) return [];
  if (isTnef(p)) return tnefFiles(partBytes(c, p)) ?? [];
  return p.type === "text" && p.subtype === "plain" ? uuencodedFiles(partBytes(c, p)).files : [];
}

/** The files of each part that has some. */
export function* packedFiles(
  c: MessageContent,
): Generator<{ path: string; part: Part; files: PackedFile[] }> {
  const shown = new Set(sortParts(c.root).texts.map((t) => t.path));
  for (const { path, part } of numberedParts(c.root)) {
    if (!isTnef(part) && !shown.has(path)) continue;
    const files = filesIn(c, part).map(named);
    if (files.length > 0) yield { path, part, files };
  }
}

/** All such files, as attachments: the path is that of the part, and the file's number behind a "+". */
export function packedAttachments(c: MessageContent): Attachment[] {
  const list: Attachment[] = [];
  for (const { path, files } of packedFiles(c)) {
    for (const [i, f] of files.entries()) {
      list.push({
        path: `${path}+${i + 1}`,
        filename: f.name,
        type: "application/octet-stream",
        size: f.content.length,
        inline: false,
        cid: "",
      });
    }
  }
  return list;
}

/** The file with such a path; undefined if there is none. */
export function packedFile(c: MessageContent, path: string): PackedFile | undefined {
  const m = /^([\d.]{1,200})\+([1-9]\d{0,2})$/.exec(path);
  const part = m ? partByPath(c.root, m[1]) : undefined;
  const file = part && filesIn(c, part)[Number(m![2]) - 1];
  return file && named(file);
}

/** With a name as of a part. */
function named({ name, content }: PackedFile): PackedFile {
  return { name: fileNameOf({ params: { name } } as unknown as Part), content };
}
