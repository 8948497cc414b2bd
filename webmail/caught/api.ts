/** Calls of localserve's API, and the parts of their answers that the page uses. @module */
import * as v from "valibot";

const Address = v.object({ Name: v.string(), Address: v.string() });
export type Address = v.InferOutput<typeof Address>;

const Summary = v.object({
  ID: v.string(),
  Read: v.boolean(),
  From: v.nullable(Address),
  To: v.array(Address),
  Subject: v.string(),
  Created: v.string(),
  Tags: v.array(v.string()),
  Size: v.number(),
  Attachments: v.number(),
  Snippet: v.string(),
});
export type Summary = v.InferOutput<typeof Summary>;

const List = v.object({
  messages: v.array(Summary),
  messages_count: v.number(),
  total: v.number(),
});
export type List = v.InferOutput<typeof List>;

const File = v.object({
  PartID: v.string(),
  FileName: v.string(),
  ContentType: v.string(),
  Size: v.number(),
});

const Message = v.object({
  ID: v.string(),
  From: v.nullable(Address),
  To: v.array(Address),
  Cc: v.array(Address),
  Bcc: v.array(Address),
  ReplyTo: v.array(Address),
  Subject: v.string(),
  Date: v.string(),
  Tags: v.array(v.string()),
  Text: v.string(),
  HTML: v.string(),
  Size: v.number(),
  Inline: v.array(File),
  Attachments: v.array(File),
  Envelope: v.nullable(v.object({
    From: v.string(),
    To: v.array(v.object({ Address: v.string(), Notify: v.optional(v.string()) })),
    Helo: v.string(),
    RemoteIP: v.string(),
    TLS: v.string(),
    Username: v.string(),
    Parameters: v.array(v.string()),
    RepairedLineEnds: v.boolean(),
  })),
});
export type Message = v.InferOutput<typeof Message>;

export interface PartNode {
  PartID: string;
  ContentType: string;
  Encoding: string;
  Charset: string;
  Disposition: string;
  FileName: string;
  ContentID: string;
  Size: number;
  Parts: PartNode[];
}
const PartNode: v.GenericSchema<unknown, PartNode> = v.object({
  PartID: v.string(),
  ContentType: v.string(),
  Encoding: v.string(),
  Charset: v.string(),
  Disposition: v.string(),
  FileName: v.string(),
  ContentID: v.string(),
  Size: v.number(),
  Parts: v.array(v.lazy(() => PartNode)),
});

const Checks = v.object({
  SpamScore: v.number(),
  SpamLimit: v.number(),
  Findings: v.array(v.object({
    Area: v.string(),
    Level: v.string(),
    Text: v.string(),
    Points: v.optional(v.number()),
  })),
});
export type Checks = v.InferOutput<typeof Checks>;

const HtmlSupport = v.object({
  Warnings: v.array(v.object({
    Title: v.string(),
    URL: v.string(),
    Score: v.object({ Supported: v.number(), Partial: v.number(), Unsupported: v.number() }),
  })),
});
export type HtmlSupport = v.InferOutput<typeof HtmlSupport>;

const Links = v.object({
  Links: v.array(v.object({ URL: v.string(), StatusCode: v.number(), Status: v.string() })),
});
export type Links = v.InferOutput<typeof Links>;

/** A call that was refused or got no answer; the message can be shown. */
export class ApiError extends Error {
  override name = "ApiError";
}

async function request(path: string, init?: RequestInit): Promise<Response> {
  let r: Response;
  try {
    r = await fetch(path, init);
  } catch (cause) {
    throw new ApiError("The server can't be reached.", { cause });
  }
  if (!r.ok) throw new ApiError(`${r.status}: ${(await r.text()).slice(0, 300)}`);
  return r;
}

async function ask<T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<T> {
  return v.parse(schema, await (await request(`/api/v1/${path}`)).json());
}

const of = (id: string) => `message/${encodeURIComponent(id)}`;

export const api = {
  /** Newest first; all messages, or those that a search finds. */
  list: (query: string, start: number, limit: number): Promise<List> => {
    const page = `start=${start}&limit=${limit}`;
    return ask(
      query === "" ? `messages?${page}` : `search?query=${encodeURIComponent(query)}&${page}`,
      List,
    );
  },
  message: (id: string): Promise<Message> => ask(of(id), Message),
  headers: (id: string): Promise<Record<string, string[]>> =>
    ask(`${of(id)}/headers`, v.record(v.string(), v.array(v.string()))),
  raw: async (id: string): Promise<string> => await (await request(rawPath(id))).text(),
  parts: (id: string): Promise<PartNode> => ask(`${of(id)}/parts`, PartNode),
  checks: (id: string, ip: string): Promise<Checks> =>
    ask(`${of(id)}/check${ip === "" ? "" : `?ip=${encodeURIComponent(ip)}`}`, Checks),
  support: (id: string): Promise<HtmlSupport> => ask(`${of(id)}/html-check`, HtmlSupport),
  links: (id: string): Promise<Links> => ask(`${of(id)}/link-check`, Links),
  /** Deletes messages by id; all if there are no ids. */
  remove: async (ids: readonly string[]): Promise<void> => {
    await request("/api/v1/messages", {
      method: "DELETE",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ IDs: ids }),
    });
  },
};

export const rawPath = (id: string) => `/api/v1/${of(id)}/raw`;
export const partPath = (id: string, part: string) => `/api/v1/${of(id)}/part/${part}`;
export const viewPath = (id: string) => `/view/${encodeURIComponent(id)}.html`;

/** Calls `fn` after each change on the server, and after a lost connection is restored. */
export function onChange(fn: () => void, onState: (connected: boolean) => void): void {
  const url = new URL("/api/events", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    onState(true);
    fn();
  });
  socket.addEventListener("message", fn);
  socket.addEventListener("close", () => {
    onState(false);
    setTimeout(() => onChange(fn, onState), 2000);
  });
}
