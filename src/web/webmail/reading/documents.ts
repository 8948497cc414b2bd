/**
 * What the page's frames and links load of a message: raw, header, parts, text, HTML, for printing, and
 * all attachments together.
 *
 * Nothing here may run or load anything in the name of the webmail's origin: each answer has a
 * Content-Security-Policy that forbids it, HTML is in a sandbox (an origin of its own), and types that
 * a browser would run come as text or as a download.
 *
 * @module
 */
import type { Log } from "../../../log/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { decodeHeaderBytes } from "../../../mail/header/header.ts";
import { HttpError, type WebRequest } from "../../http/mod.ts";
import {
  type MessageContent,
  openContent,
  partPieces,
  pieceStream,
  rawPieces,
  withContent,
} from "./content.ts";
import { missing } from "../errors.ts";
import { withLinkWarnings } from "../html/link_warnings.ts";
import { withFoldedQuotes } from "../html/quote_folding.ts";
import { htmlBody } from "./html_body.ts";
import { messageItem } from "../list/items.ts";
import { readableText } from "./message.ts";
import { htmlPage, messageHeadHtml, textHtml } from "../pages.ts";
import type { PackedFile } from "../../../mail/transfer/uuencode.ts";
import { packedAttachments, packedFile } from "./packed_files.ts";
import { fileNameOf, numberedParts, partByPath, sortParts } from "./parts.ts";
import { writeZip } from "../../export/zip.ts";

/** For what is no document of its own. */
const plainPolicy = "default-src 'none'; sandbox; frame-ancestors 'self'";

/** What can be shown beside text: nothing in it runs. PDF is shown by a program of its own. */
const shownTypes = new Set(
  ("image/png image/jpeg image/gif image/webp image/avif image/bmp audio/mpeg audio/ogg audio/wav " +
    "audio/mp4 audio/webm audio/flac video/mp4 video/webm video/ogg application/pdf").split(" "),
);

/** Content-Disposition with a name of any characters (RFC 6266, RFC 8187). */
export function disposition(kind: "inline" | "attachment", name: string): string {
  if (name === "") return kind;
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(name.toWellFormed())
    .replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

const headers = (type: string, policy: string, more: Record<string, string> = {}) => ({
  "Content-Type": type,
  "Content-Security-Policy": policy,
  // Another account, logged in later in the same browser, has other messages under the same ids.
  "Cache-Control": "no-store",
  "Cross-Origin-Resource-Policy": "same-origin",
  ...more,
});

/** A file name made of a subject. */
function nameFor(subject: string, ending: string): string {
  // deno-lint-ignore no-control-regex
  const name = subject.replace(/[\u0000-\u001f\u007f/\\:*?"<>|\s]+/g, " ").trim().slice(0, 100);
  return `${name === "" ? "message" : name}${ending}`;
}

/** Sends pieces of an open message, which is closed after the last one. */
function stream(
  content: MessageContent,
  pieces: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
  release: () => void,
  log: Log,
): ReadableStream<Uint8Array> {
  const end = () => {
    content.close();
    release();
  };
  return pieceStream(pieces, end, log);
}

/** The message that `message/<id>/…` names, as the page has its id. @throws HttpError 404 */
export function documentId(req: WebRequest): number {
  const id = req.path.split("/")[2] ?? "";
  if (!/^[1-9]\d{0,14}$/.test(id)) throw new HttpError(404, "not found");
  return Number(id);
}

/**
 * Answers `message/<id>/…`. `release` is called when the account is no longer needed: at once, or when a
 * streamed body has ended.
 * @param id as the account has it
 * @throws HttpError 404
 */
export async function messageDocument(
  req: WebRequest,
  account: Account,
  id: number,
  release: () => void,
): Promise<Response> {
  let streaming = false;
  const open = (id: number): MessageContent => openContent(account, id);
  const streamed = (
    content: MessageContent,
    pieces: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
  ) => {
    streaming = true;
    return stream(content, pieces, release, req.log);
  };
  try {
    const [, , , kind, path, ...more] = req.path.split("/");
    if (more.length > 0) throw new HttpError(404, "not found");
    const download = req.url.searchParams.has("download");
    if (kind === "part" && path !== undefined) {
      return partAnswer(open(id), path, download, streamed);
    }
    if (path !== undefined) throw new HttpError(404, "not found");
    switch (kind) {
      case "raw": {
        const subject = messageItem(account, id)?.subject ?? "";
        const c = open(id);
        return new Response(streamed(c, rawPieces(c, 0, c.reader.size)), {
          headers: headers(
            download ? "message/rfc822" : "text/plain; charset=utf-8",
            plainPolicy,
            download
              ? { "Content-Disposition": disposition("attachment", nameFor(subject, ".eml")) }
              : {},
          ),
        });
      }
      case "headers":
        return await withContent(account, id, (content) =>
          new Response(
            decodeHeaderBytes(
              content.reader.read(0, Math.min(content.root.bodyOffset, 1024 * 1024)),
            ),
            { headers: headers("text/plain; charset=utf-8", plainPolicy) },
          ));
      case "text":
        return await withContent(account, id, (c) => textDocument(c));
      case "html":
        return await htmlDocument(account, id, req.url.searchParams);
      case "print":
        return await printDocument(account, id, req.url.searchParams);
      case "attachments.zip": {
        const subject = messageItem(account, id)?.subject ?? "";
        const c = open(id);
        return new Response(streamed(c, writeZip(zipEntries(c))), {
          headers: headers("application/zip", plainPolicy, {
            "Content-Disposition": disposition("attachment", nameFor(subject, ".zip")),
          }),
        });
      }
      default:
        throw new HttpError(404, "not found");
    }
  } finally {
    if (!streaming) release();
  }
}

function partAnswer(
  content: MessageContent,
  path: string,
  download: boolean,
  streamed: (c: MessageContent, pieces: Iterator<Uint8Array>) => ReadableStream<Uint8Array>,
): Response {
  const p = partByPath(content.root, path);
  if (p === undefined) {
    const file = packedFile(content, path);
    if (file) return fileAnswer(content, file, streamed);
    content.close();
    throw missing("part");
  }
  const type = `${p.type}/${p.subtype}`;
  const name = fileNameOf(p) || (type === "message/rfc822" ? "message.eml" : "");
  const shown = shownTypes.has(type);
  const isText = p.type === "text" || p.type === "message";
  const inline = !download && (shown || isText);
  const charset = /^[a-z0-9._-]{1,40}$/i.test(p.params.charset ?? "") ? p.params.charset : "utf-8";
  const contentType = inline
    ? shown ? type : `text/plain; charset=${charset}`
    : shown
    ? type
    : "application/octet-stream";
  return new Response(streamed(content, partPieces(content, p)), {
    headers: headers(
      contentType,
      // A browser's viewer for PDF does not work in a sandbox; what it shows can't reach the page.
      type === "application/pdf"
        ? "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
        : "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox; " +
          "frame-ancestors 'self'",
      {
        "Content-Disposition": disposition(
          inline ? "inline" : "attachment",
          name || (inline ? "" : "attachment"),
        ),
      },
    ),
  });
}

/** A file that stands in a part: to be saved, whatever it is. */
function fileAnswer(
  content: MessageContent,
  file: PackedFile,
  streamed: (c: MessageContent, pieces: Iterator<Uint8Array>) => ReadableStream<Uint8Array>,
): Response {
  return new Response(streamed(content, [file.content].values()), {
    headers: headers("application/octet-stream", "default-src 'none'; sandbox", {
      "Content-Disposition": disposition("attachment", file.name || "attachment"),
    }),
  });
}

function textDocument(content: MessageContent): Response {
  const body = sortParts(content.root).texts.map((p) => textHtml(readableText(content, p).text))
    .join("<hr>");
  return new Response(htmlPage("text", body), {
    headers: headers(
      "text/html; charset=utf-8",
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; " +
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    ),
  });
}

/** Where links to addresses lead: the webmail itself, which is two levels above. */
const composeAddress = "../../?mailto=";

async function htmlDocument(
  account: Account,
  id: number,
  params: URLSearchParams,
): Promise<Response> {
  const external = params.get("external") === "1";
  const dark = params.get("dark") === "1";
  const html = await withContent(
    account,
    id,
    (c) => htmlBody(c, external, undefined, account.name, { dark, mailto: composeAddress }),
  );
  if (html === undefined) throw new HttpError(404, "this message has no HTML");
  const kind = !dark ? "html" : html.ownDark ? "ownDark" : "dark";
  const shown = params.get("fold") === "1" ? withFoldedQuotes(html.html) : html.html;
  return new Response(htmlPage(kind, withLinkWarnings(shown)), {
    headers: headers(
      "text/html; charset=utf-8",
      `default-src 'none'; img-src data:${external ? " http: https:" : ""}; ` +
        "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; " +
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    ),
  });
}

async function printDocument(
  account: Account,
  id: number,
  params: URLSearchParams,
): Promise<Response> {
  const external = params.get("external") === "1";
  const zone = params.get("zone") ?? "UTC";
  const language = params.get("language") ?? "en";
  const nonce = crypto.randomUUID();
  const item = messageItem(account, id);
  if (item === undefined) throw missing("message");
  const page = await withContent(account, id, async (content) => {
    const parts = sortParts(content.root);
    const html = params.get("html") === "1" || parts.texts.length === 0
      ? await htmlBody(content, external, parts, account.name)
      : undefined;
    const body = html?.html ??
      parts.texts.map((p) => textHtml(readableText(content, p).text)).join("<hr>");
    return htmlPage(
      "print",
      `${messageHeadHtml(item, zone, language)}${body}<script nonce="${nonce}">print()</script>`,
      item.subject,
    );
  });
  return new Response(page, {
    headers: headers(
      "text/html; charset=utf-8",
      // The one script is ours, and in an origin that has nothing.
      `default-src 'none'; script-src 'nonce-${nonce}'; img-src data:${
        external ? " http: https:" : ""
      }; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; ` +
        "sandbox allow-scripts allow-modals",
    ),
  });
}

/** The attachments with names that differ. */
function* zipEntries(
  content: MessageContent,
): Generator<{ name: string; pieces: Iterable<Uint8Array> }> {
  const used = new Set<string>();
  const unique = (given: string, otherwise: string): string => {
    // "." and ".." are names of folders.
    const name = (/^[. ]+$/.test(given) ? "" : given) || otherwise;
    const dot = name.lastIndexOf(".") > 0 ? name.lastIndexOf(".") : name.length;
    let unique = name;
    for (let n = 2; used.has(unique.toLowerCase()); n++) {
      unique = `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
    }
    used.add(unique.toLowerCase());
    return unique;
  };
  const attachments = sortParts(content.root).attachments;
  const paths = new Map([...numberedParts(content.root)].map((p) => [p.part, p.path]));
  for (const { part } of attachments) {
    const ending = part.type === "message" ? ".eml" : `.${part.subtype}`;
    yield {
      name: unique(fileNameOf(part), `part-${paths.get(part)}${ending}`),
      pieces: { [Symbol.iterator]: () => partPieces(content, part) },
    };
  }
  // Files in texts by uuencode, and in winmail.dat. Each is unpacked when its turn comes.
  for (const { path, filename } of packedAttachments(content)) {
    const file = packedFile(content, path);
    if (file) yield { name: unique(filename, `part-${path}`), pieces: [file.content] };
  }
}
