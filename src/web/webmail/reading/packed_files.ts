/** Files that stand in other parts of a message: in texts by uuencode, and in winmail.dat. @module */
import type { Attachment } from "../../../../webmail/api/mod.ts";
import { fileNameOf } from "../../../mail/structure/contents.ts";
import type { Part } from "../../../mail/structure/structure.ts";
import { tnefFiles } from "../../../mail/transfer/tnef.ts";
import { type PackedFile, uuencodedFiles } from "../../../mail/transfer/uuencode.ts";
import { type MessageContent, partBytes } from "./content.ts";
import { numberedParts, partByPath, sortParts } from "./parts.ts";

/** Nothing says what is in them but their names. */
export const packedFileType = "application/octet-stream";

/** Bytes of a part that is looked into. */
const maxPart = 20 * 1024 * 1024;

const isTnef = (part: Part) =>
  /^application\/(?:vnd\.)?ms-tnef$/.test(`${part.type}/${part.subtype}`) ||
  (part.type === "application" && fileNameOf(part).toLowerCase() === "winmail.dat");

/** The files in a part, if it is of such a kind. */
function filesIn(content: MessageContent, part: Part): PackedFile[] {
  if (part.endOffset - part.bodyOffset > maxPart) return [];
  if (isTnef(part)) {
    // Most have their text beside them; of others it would be lost.
    const alone = sortParts(content.root).texts.length === 0;
    return tnefFiles(partBytes(content, part), alone) ?? [];
  }
  return part.type === "text" && part.subtype === "plain"
    ? uuencodedFiles(partBytes(content, part)).files
    : [];
}

/** The files of each part that has some. */
export function* packedFiles(
  content: MessageContent,
): Generator<{ path: string; part: Part; files: PackedFile[] }> {
  const shown = new Set(sortParts(content.root).texts.map((t) => t.path));
  for (const { path, part } of numberedParts(content.root)) {
    if (!isTnef(part) && !shown.has(path)) continue;
    const files = filesIn(content, part).map(named);
    if (files.length > 0) yield { path, part, files };
  }
}

/** All such files, as attachments: the path is that of the part, and the file's number behind a "+". */
export function packedAttachments(content: MessageContent): Attachment[] {
  const list: Attachment[] = [];
  for (const { path, files } of packedFiles(content)) {
    for (const [i, f] of files.entries()) {
      list.push({
        path: `${path}+${i + 1}`,
        filename: f.name,
        type: packedFileType,
        size: f.content.length,
        inline: false,
        cid: "",
      });
    }
  }
  return list;
}

/** The file with such a path; undefined if there is none. */
export function packedFile(content: MessageContent, path: string): PackedFile | undefined {
  const m = /^([\d.]{1,200})\+([1-9]\d{0,2})$/.exec(path);
  const part = m ? partByPath(content.root, m[1]) : undefined;
  const file = part && filesIn(content, part)[Number(m![2]) - 1];
  return file && named(file);
}

/** With a name as of a part. */
function named({ name, content }: PackedFile): PackedFile {
  return { name: fileNameOf({ params: { name } } as unknown as Part), content };
}
