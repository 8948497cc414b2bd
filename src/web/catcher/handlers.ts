/**
 * The API's calls about one message: its content, header, source, parts and checks.
 *
 * @module
 */
import type { WebRequest } from "../http/mod.ts";
import { HttpError, jsonResponse, textResponse } from "../http/mod.ts";
import { flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { headerText, splitHeader } from "../../mail/header/header.ts";
import { decodeWords } from "../../mail/header/words.ts";
import {
  headerFields,
  type MessageContent,
  openContent,
  partBytes,
  pieceStream,
  rawPieces,
} from "../webmail/reading/content.ts";
import { nestedTooDeep } from "../webmail/html/nesting.ts";
import { contentId, fileNameOf, numberedParts, partByPath } from "../webmail/reading/parts.ts";
import type { Caught } from "./box.ts";
import { checkAccessibility } from "./checks/accessibility.ts";
import { checkAuth, checkSignatures } from "./checks/authentication.ts";
import { checkHeader } from "./checks/header.ts";
import { checkSize } from "./checks/size.ts";
import { checkSpam, spamLimit, spamScore } from "./checks/spam.ts";
import type { Checked } from "./checks/types.ts";
import { checkHtml } from "./html_check.ts";
import { linksOf } from "./links.ts";
import { bodies, headersForm, messageForm } from "./message.ts";
import { partTree } from "./part_tree.ts";
import type { CatcherServices } from "./services.ts";

/** Links of a message that are checked, and how many at a time. */
const maxLinks = 100;
const linksAtATime = 5;
/** Bytes of a header that is checked, and of a message whose signatures are. */
const maxHeader = 256 * 1024;
const maxAuthenticated = 50 * 1024 * 1024;

export const notFound = () => textResponse(404, "message not found");

/** Policy for untrusted HTML on a page of this server: display only. */
const viewPolicy =
  "default-src * data: blob: 'unsafe-inline'; script-src 'none'; object-src 'none'; " +
  "form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

function read<T>(caught: Caught, fn: (content: MessageContent) => T): T {
  const c = openContent(caught.account, caught.id);
  try {
    return fn(c);
  } finally {
    c.close();
  }
}

/** The message, which is marked as read. */
export async function message(services: CatcherServices, caught: Caught): Promise<Response> {
  const form = await messageForm(services.mail, caught);
  if (form === undefined) return notFound();
  await services.mail.setRead([caught], true);
  return jsonResponse(200, form);
}

export const headers = (_s: CatcherServices, m: Caught): Response =>
  jsonResponse(200, headersForm(m));

/** The structure: each part with what is in it. */
export async function parts(_s: CatcherServices, m: Caught): Promise<Response> {
  const c = openContent(m.account, m.id);
  try {
    return jsonResponse(200, await partTree(c));
  } finally {
    c.close();
  }
}

/** The source as it is stored. */
export function raw(_s: CatcherServices, caught: Caught, req: WebRequest): Response {
  const c = openContent(caught.account, caught.id);
  const stream = pieceStream(rawPieces(c, 0, c.reader.size), () => c.close(), req.log);
  return new Response(stream, {
    headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" },
  });
}

/** A part, decoded. Only pictures keep their type; everything else is a file to save. */
export function part(_s: CatcherServices, caught: Caught, path: string): Response {
  return read(caught, (content) => {
    const p = partByPath(content.root, path);
    if (p === undefined) return notFound();
    const type = `${p.type}/${p.subtype}`;
    const shown = p.type === "image" && p.subtype !== "svg+xml";
    const name = encodeURIComponent(fileNameOf(p) || `part-${path}`);
    return new Response(partBytes(content, p).slice(), {
      headers: {
        "Content-Type": type,
        "Content-Disposition": `${shown ? "inline" : "attachment"}; filename*=UTF-8''${name}`,
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
      },
    });
  });
}

/**
 * The HTML as a page with pictures from the message; or the text. In a frame its links open new
 * pages.
 */
export function view(
  services: CatcherServices,
  caught: Caught,
  kind: "html" | "txt",
  framed: boolean,
): Response {
  const found = read(caught, (content) => {
    const { text, html } = bodies(content);
    const cids = new Map<string, string>();
    for (const { path, part: p } of numberedParts(content.root)) {
      if (contentId(p) !== "") cids.set(contentId(p), path);
    }
    return { text, html, cids };
  });
  if (kind === "txt") return textResponse(200, found.text);
  if (found.html === "") return textResponse(404, "this message has no HTML");
  const html = found.html.replaceAll(/\bcid:([^"'\s)<>]{1,500})/gi, (all, id: string) => {
    const path = found.cids.get(id) ?? found.cids.get(safeDecode(id));
    return path === undefined ? all : `/api/v1/message/${services.mail.idOf(caught)}/part/${path}`;
  });
  return new Response(framed ? `${html}<base target="_blank">` : html, {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": viewPolicy,
      "Cache-Control": "no-store",
    },
  });
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** HTML that can be parsed in reasonable time. @throws HttpError 400 */
function checkable(html: string): string {
  if (nestedTooDeep(html)) throw new HttpError(400, "the HTML is nested too deeply to be checked");
  return html;
}

/** Features of the HTML that mail programs don't support. */
export async function htmlCheck(_s: CatcherServices, caught: Caught): Promise<Response> {
  const { html } = read(caught, bodies);
  if (html === "") throw new HttpError(400, "this message has no HTML");
  return jsonResponse(200, await checkHtml(checkable(html)));
}

/** The message as the checks see it. */
function checked(caught: Caught): Checked & { header: Uint8Array; source: Uint8Array } {
  return read(caught, (content) => {
    const from = content.prefix.length;
    const fields = headerFields(content);
    const header = content.reader.read(from, Math.min(content.root.bodyOffset, from + maxHeader));
    const own = splitHeader(header);
    return {
      ...bodies(content),
      size: content.reader.size - from,
      fields: own.map((f) => ({ name: f.name.toLowerCase(), value: f.value })),
      subject: decodeWords(headerText(fields, "subject") ?? ""),
      from: flattenAddresses(parseAddressList(headerText(own, "from") ?? ""))
        .map((a) => `${a.localpart}@${a.domain}`)[0] ?? "",
      header,
      source: content.reader.read(from, Math.min(content.reader.size, from + maxAuthenticated)),
    };
  });
}

/**
 * Problems of a message for readers and receivers. `ip`: as if sent from this address; SPF, DKIM and DMARC are
 * then looked up in the DNS.
 */
export async function check(
  services: CatcherServices,
  caught: Caught,
  ip: string,
): Promise<Response> {
  const c = checked(caught);
  checkable(c.html);
  const Findings = [
    ...checkSize(c),
    ...checkHeader(c),
    ...checkAccessibility(c),
    ...checkSpam(c),
    ...checkSignatures(c),
  ];
  if (ip !== "") {
    const form = await messageForm(services.mail, caught);
    const auth = await services.authenticate(ip, form?.ReturnPath ?? "", c.header, c.source);
    Findings.push(...checkAuth(auth, ip));
  }
  return jsonResponse(200, {
    Warnings: Findings.filter((f) => f.Level === "warning").length,
    SpamScore: spamScore(Findings),
    SpamLimit: spamLimit,
    Findings,
  });
}

/** The signs of junk, in Mailpit's form for SpamAssassin results. */
export function spamCheck(_s: CatcherServices, caught: Caught): Response {
  const c = checked(caught);
  checkable(c.html);
  const signs = checkSpam(c).filter((f) => f.Points !== undefined);
  const Score = spamScore(signs);
  return jsonResponse(200, {
    Error: "",
    IsSpam: Score >= spamLimit,
    Score,
    Rules: signs.map((f) => ({ Name: f.Rule, Description: f.Text, Score: f.Points })),
  });
}

/** Whether the links work. */
export async function linkCheck(
  services: CatcherServices,
  caught: Caught,
  follow: boolean,
): Promise<Response> {
  const { text, html } = read(caught, bodies);
  const urls = linksOf(text, checkable(html)).slice(0, maxLinks);
  const Links: { URL: string; StatusCode: number; Status: string }[] = [];
  let next = 0;
  const work = async () => {
    while (next < urls.length) {
      const at = next++;
      Links[at] = { URL: urls[at], ...await services.checkLink(urls[at], follow) };
    }
  };
  await Promise.all(Array.from({ length: linksAtATime }, work));
  const bad = Links.filter((l) => l.StatusCode < 200 || l.StatusCode >= 400);
  return jsonResponse(200, { Errors: bad.length, Links });
}

/** Releases the message to a real server. */
export async function release(
  services: CatcherServices,
  caught: Caught,
  to: string[],
): Promise<Response> {
  if (services.release === undefined) {
    throw new HttpError(400, "no server to release to: start localserve with -relay host:port");
  }
  for (const address of to) {
    const why = services.release.refusal(address);
    if (why !== undefined) throw new HttpError(400, why);
  }
  const form = await messageForm(services.mail, caught);
  if (form === undefined) return notFound();
  const c = openContent(caught.account, caught.id);
  try {
    const from = c.prefix.length;
    await services.release.send(
      form.ReturnPath,
      to,
      () => rawPieces(c, from, c.reader.size),
      c.reader.size - from,
    );
  } finally {
    c.close();
  }
  return textResponse(200, "ok");
}
