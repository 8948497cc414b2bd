/** A page that shows what is in a folder. @module */
import { joinPath } from "../../platform/paths.ts";
import { textResponse, type WebRequest } from "../http/mod.ts";

const style =
  "body{font:15px system-ui,sans-serif;margin:2em;color-scheme:light dark}td{padding:.15em 1.5em .15em 0}" +
  "td+td{text-align:right;font-variant-numeric:tabular-nums}";

function html(s: string): string {
  return s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Lists a folder: folders first, names in order. Names that start with a dot are left out. */
export async function folderListing(req: WebRequest, dir: string): Promise<Response> {
  const rows: { name: string; folder: boolean; size: string; time: string }[] = [];
  for await (const e of Deno.readDir(dir)) {
    if (e.name.startsWith(".")) continue;
    let info: Deno.FileInfo;
    try {
      info = await Deno.stat(joinPath([dir, e.name]));
    } catch {
      continue;
    }
    rows.push({
      name: e.name,
      folder: info.isDirectory,
      size: info.isDirectory ? "" : String(info.size),
      time: info.mtime?.toISOString().slice(0, 16).replace("T", " ") ?? "",
    });
  }
  rows.sort((a, b) => Number(b.folder) - Number(a.folder) || (a.name < b.name ? -1 : 1));
  const title = html(decodeURI(req.url.pathname));
  const items = rows.map((r) => {
    const slash = r.folder ? "/" : "";
    return `<tr><td><a href="${html(encodeURIComponent(r.name))}${slash}">${
      html(r.name)
    }${slash}</a>` +
      `</td><td>${r.size}</td><td>${r.time}</td></tr>`;
  });
  const up = req.url.pathname === "/" ? "" : `<tr><td><a href="../">../</a></td></tr>`;
  return textResponse(
    200,
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>${style}</style>` +
      `<h1>${title}</h1><table>${up}${items.join("")}</table></html>`,
    {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy":
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    },
  );
}
