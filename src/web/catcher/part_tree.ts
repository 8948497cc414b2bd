/** The MIME structure of a message, as a tree. @module */
import type { Part } from "../../mail/structure/structure.ts";
import type { MessageContent } from "../webmail/reading/content.ts";
import { contentId, fileNameOf } from "../webmail/reading/parts.ts";
import { decodedSize } from "./message.ts";

/** A part with its subparts. */
export interface PartNode {
  /** Part number as in IMAP: "1", "2.1"; "" for a multipart at the top. */
  PartID: string;
  ContentType: string;
  /** Such as "base64"; "" if there is none. */
  Encoding: string;
  /** The declared charset; "" for none. */
  Charset: string;
  /** "inline" or "attachment"; "" if there is none. */
  Disposition: string;
  FileName: string;
  ContentID: string;
  /** Bytes when decoded; 0 for a multipart. */
  Size: number;
  Parts: PartNode[];
}

/** Parts of a tree: more are never useful. */
const maxParts = 2000;

/** The tree of a message. Parts after the first two thousand are left out. */
export async function partTree(content: MessageContent): Promise<PartNode> {
  let left = maxParts;
  const node = async (part: Part, path: string): Promise<PartNode> => {
    left--;
    const below: PartNode[] = [];
    const add = async (c: Part, at: string) => {
      if (left > 0) below.push(await node(c, at));
    };
    for (const [i, c] of part.parts.entries()) {
      await add(c, path === "" ? `${i + 1}` : `${path}.${i + 1}`);
    }
    // A message that isn't a multipart has its text as its first part.
    const own = part.parts.length > 0 ? path : path === "" ? "1" : path;
    if (part.message !== undefined) {
      await add(part.message, part.message.parts.length > 0 ? own : `${own}.1`);
    }
    return {
      PartID: own,
      ContentType: `${part.type}/${part.subtype}`,
      Encoding: part.encoding,
      Charset: part.params.charset ?? "",
      Disposition: part.disposition ?? "",
      FileName: fileNameOf(part),
      ContentID: contentId(part),
      Size: part.parts.length > 0 ? 0 : await decodedSize(content, part),
      Parts: below,
    };
  };
  return await node(content.root, "");
}
