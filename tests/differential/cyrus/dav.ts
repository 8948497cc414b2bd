/** CalDAV and CardDAV of two servers beside each other: the same objects, the same requests. @module */
import { child, children, parseXml, textOf, type XmlElement } from "../../../src/dav/xml/parse.ts";
import { type Component, param, parseFile } from "../../../src/mail/contentline/component.ts";
import { type DavCase, davCases } from "./dav_cases.ts";
import { calendarObjects, cards } from "./dav_objects.ts";

/** One of the two. */
export interface DavServer {
  /** Addresses of a calendar and a book, with a slash at the end. */
  calendars: string;
  addressbooks: string;
  authorization: string;
}

/** What both gave for a request that they disagree about. */
export interface Disagreement {
  name: string;
  ours: string;
  theirs: string;
}

const nameOf = (href: string) => decodeURIComponent(href.replace(/\/$/, "").split("/").at(-1)!);

/** Times and texts of components, in an order of their own. */
async function dataOf(text: string): Promise<string> {
  const list = await parseFile(text);
  const one = (c: Component): string => {
    const props = c.properties
      .filter((p) =>
        /^(?:UID|SUMMARY|DTSTART|DTEND|DURATION|RECURRENCE-ID|RRULE|STATUS)$/.test(p.name)
      )
      .map((p) => {
        const zone = param(p, "TZID");
        const value = p.name === "RRULE" ? p.value.split(";").sort().join(";") : p.value;
        return `${p.name}${zone ? `@${zone}` : ""}:${value}`;
      }).sort();
    const parts = c.components.filter((x) => x.name !== "VTIMEZONE").map(one).sort();
    return `${c.name}(${[...props, ...parts].join(" ")})`;
  };
  return list.map(one).join("");
}

function busyOf(text: string): string {
  const times = text.replace(/\r?\n[ \t]/g, "").split(/\r?\n/).filter((l) =>
    l.startsWith("FREEBUSY")
  ).flatMap((l) => {
    const type = /FBTYPE=([A-Z-]+)/.exec(l)?.[1] ?? "BUSY";
    return l.slice(l.indexOf(":") + 1).split(",").map((p) => `${type} ${p}`);
  });
  return times.sort().join("\n");
}

function propsOf(e: XmlElement): string {
  const text = children(e).length === 0
    ? textOf(e)
    : children(e).map((c) => `${c.name}${c.attributes.map((a) => `[${a.value}]`)}`).sort().join(
      ",",
    );
  return `${e.name}=${text}`;
}

async function described(c: DavCase, status: number, text: string): Promise<string> {
  const lines: string[] = [String(status)];
  if (c.compare === "busy") return `${status}\n${busyOf(text)}`;
  if (!text.includes("<?xml")) return lines.join("\n");
  let root: XmlElement;
  try {
    root = parseXml(new TextEncoder().encode(text));
  } catch {
    return `${status} with bad XML`;
  }
  if (root.name === "error") {
    // Words for people differ.
    const names = children(root).map((x) => x.name).filter((n) => n !== "responsedescription");
    return `${status} ${names.sort().join(",")}`.trim();
  }
  if (c.compare === undefined || c.compare === "condition") return lines.join("\n");
  const found: string[] = [];
  for (const r of children(root).filter((x) => x.name === "response")) {
    const href = nameOf(textOf(child(r, "DAV:", "href")!));
    const name = c.path === "" && c.compare === "props" ? "" : href;
    const parts: string[] = [];
    const whole = child(r, "DAV:", "status");
    if (whole !== undefined) parts.push(textOf(whole).split(" ")[1]);
    for (const p of children(r).filter((x) => x.name === "propstat")) {
      const code = textOf(child(p, "DAV:", "status")!).split(" ")[1];
      for (const e of children(child(p, "DAV:", "prop")!)) {
        if (c.compare === "names") parts.push(code);
        else if (e.name === "calendar-data") parts.push(await dataOf(textOf(e)));
        else parts.push(`${code} ${code === "200" ? propsOf(e) : e.name}`);
      }
    }
    found.push(`${name} ${[...new Set(parts)].sort().join(" ")}`);
  }
  return [...lines, ...found.sort()].join("\n");
}

async function ask(s: DavServer, c: DavCase): Promise<string> {
  const base = s[c.home];
  const at = (path: string) => new URL(path, base).href;
  const headers: Record<string, string> = { authorization: s.authorization, ...c.headers };
  if (headers.Destination !== undefined) headers.Destination = at(headers.Destination);
  if (c.method !== "PUT" && c.body !== undefined) headers["Content-Type"] = "application/xml";
  const body = c.body?.replaceAll("@/", new URL(base).pathname);
  const r = await fetch(at(c.path), { method: c.method, headers, body, redirect: "manual" });
  return await described(c, r.status, await r.text());
}

/** Fills both and asks both; what they disagree about. */
export async function compareDav(
  ours: DavServer,
  theirs: DavServer,
): Promise<{ asked: number; different: Disagreement[] }> {
  const different: Disagreement[] = [];
  let asked = 0;
  for (const home of ["calendars", "addressbooks"] as const) {
    const type = home === "calendars" ? "text/calendar" : "text/vcard";
    for (const [name, body] of Object.entries(home === "calendars" ? calendarObjects : cards)) {
      asked++;
      const status: number[] = [];
      for (const s of [ours, theirs]) {
        const headers = { authorization: s.authorization, "content-type": type };
        const r = await fetch(new URL(name, s[home]), { method: "PUT", headers, body });
        await r.body?.cancel();
        status.push(r.status);
      }
      if (status[0] === status[1]) continue;
      different.push({ name: `PUT of ${name}`, ours: `${status[0]}`, theirs: `${status[1]}` });
      // What one doesn't take, neither has: so that all else compares.
      for (const s of [ours, theirs]) {
        const headers = { authorization: s.authorization };
        await (await fetch(new URL(name, s[home]), { method: "DELETE", headers })).body?.cancel();
      }
    }
  }
  const cases = davCases();
  for (const c of cases) {
    const [a, b] = [await ask(ours, c), await ask(theirs, c)];
    if (a !== b) different.push({ name: c.name, ours: a, theirs: b });
  }
  return { asked: asked + cases.length, different };
}
