/** The description of the API in OpenAPI 3.1, for tools and people. @module */

interface Call {
  path: string;
  method: "get" | "put" | "post" | "delete";
  summary: string;
  /** Query parameters with their descriptions. */
  query?: Record<string, string>;
  /** Name of the body's example. */
  body?: unknown;
  /** Media type of the answer. */
  answer?: string;
}

const page = {
  start: "Messages to leave out, from the newest",
  limit: "Messages at most (50; 1000)",
};
const search = {
  query:
    'Words and "phrases", and from: to: cc: bcc: reply-to: addressed: subject: message-id: tag: is:read ' +
    "is:unread is:tagged has:attachment before: after: larger: smaller: anywhere:, each negated by - or !",
  tz: "Time zone of before: and after:, such as Europe/Berlin",
};

const calls: Call[] = [
  { path: "/api/v1/info", method: "get", summary: "Version and figures" },
  { path: "/api/v1/messages", method: "get", summary: "List messages, newest first", query: page },
  {
    path: "/api/v1/messages",
    method: "put",
    summary: "Mark messages as read or unread; all without IDs and Search",
    body: { IDs: ["m1"], Read: true, Search: "" },
    answer: "text/plain",
  },
  {
    path: "/api/v1/messages",
    method: "delete",
    summary: "Delete messages; all without IDs",
    body: { IDs: ["m1"] },
    answer: "text/plain",
  },
  {
    path: "/api/v1/search",
    method: "get",
    summary: "Search messages",
    query: { ...search, ...page },
  },
  {
    path: "/api/v1/search",
    method: "delete",
    summary: "Delete what a search finds",
    query: search,
    answer: "text/plain",
  },
  {
    path: "/api/v1/wait",
    method: "get",
    summary: "The newest message that matches, or the first that comes; 408 when the time is over",
    query: {
      query: search.query,
      timeout: "Seconds (10; 300)",
      since: "Only messages caught at this time or later, milliseconds since the epoch",
    },
  },
  { path: "/api/v1/message/{ID}", method: "get", summary: "A message; ID may be latest" },
  { path: "/api/v1/message/{ID}/headers", method: "get", summary: "Its header fields" },
  { path: "/api/v1/message/{ID}/raw", method: "get", summary: "Its source", answer: "text/plain" },
  { path: "/api/v1/message/{ID}/parts", method: "get", summary: "Its MIME structure, as a tree" },
  {
    path: "/api/v1/message/{ID}/part/{PartID}",
    method: "get",
    summary: "A part, decoded",
    answer: "application/octet-stream",
  },
  {
    path: "/api/v1/message/{ID}/html-check",
    method: "get",
    summary: "Support of its HTML by mail programs",
  },
  {
    path: "/api/v1/message/{ID}/link-check",
    method: "get",
    summary: "Whether its links lead somewhere (HEAD requests are made)",
    query: { follow: "true: follow redirects" },
  },
  {
    path: "/api/v1/message/{ID}/check",
    method: "get",
    summary:
      "What readers and receivers may mind, and points for signs of junk: size, header, accessibility, signs of junk, authentication",
    query: { ip: "As if it came from this address: SPF, DKIM and DMARC are looked up in the DNS" },
  },
  {
    path: "/api/v1/message/{ID}/sa-check",
    method: "get",
    summary: "Its signs of junk with their points, in the form of Mailpit's SpamAssassin check",
  },
  {
    path: "/api/v1/message/{ID}/release",
    method: "post",
    summary: "Send it on by the server of -relay",
    body: { To: ["ann@example.org"] },
    answer: "text/plain",
  },
  {
    path: "/api/v1/send",
    method: "post",
    summary: "Put a message into the list",
    body: {
      From: { Email: "a@example.org" },
      To: [{ Email: "b@example.org" }],
      Subject: "Hello",
      Text: "…",
    },
  },
  { path: "/api/v1/tags", method: "get", summary: "All tags" },
  {
    path: "/api/v1/tags",
    method: "put",
    summary: "Set the tags of messages",
    body: { IDs: ["m1"], Tags: ["first"] },
    answer: "text/plain",
  },
  {
    path: "/api/v1/tags/{Tag}",
    method: "put",
    summary: "Rename a tag",
    body: { Name: "second" },
    answer: "text/plain",
  },
  {
    path: "/api/v1/tags/{Tag}",
    method: "delete",
    summary: "Remove a tag from all messages",
    answer: "text/plain",
  },
  { path: "/api/v1/chaos", method: "get", summary: "Refusals by chance" },
  {
    path: "/api/v1/chaos",
    method: "put",
    summary: "Set refusals by chance; those left out are off",
    body: { Sender: { ErrorCode: 451, Probability: 20 } },
  },
  { path: "/api/v1/faults", method: "get", summary: "All faults on purpose" },
  {
    path: "/api/v1/faults",
    method: "put",
    summary: "Set faults; those left out are off",
    body: { LatencyMs: 500, DropProbability: 10, StartTLS: "broken" },
  },
  {
    path: "/api/v1/scenario",
    method: "put",
    summary: "Play faults one after the other, each for a number of messages or seconds",
    body: [{ Messages: 2, Faults: { Message: { ErrorCode: 452, Probability: 100 } } }],
  },
  {
    path: "/api/v2/messages",
    method: "get",
    summary: "List messages as MailHog does",
    query: page,
  },
  {
    path: "/api/v2/search",
    method: "get",
    summary: "Search messages as MailHog does",
    query: { kind: "from, to or containing", query: "The text", ...page },
  },
  { path: "/view/{ID}.html", method: "get", summary: "The HTML as a page", answer: "text/html" },
  { path: "/view/{ID}.txt", method: "get", summary: "The text", answer: "text/plain" },
];

function operation(call: Call) {
  const path = [...call.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const query = Object.entries(call.query ?? {}).map(([name, description]) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  }));
  return {
    summary: call.summary,
    parameters: [...path, ...query],
    ...(call.body === undefined ? {} : {
      requestBody: { content: { "application/json": { schema: {}, example: call.body } } },
    }),
    responses: {
      200: {
        description: "Done",
        content: { [call.answer ?? "application/json"]: { schema: {} } },
      },
      400: {
        description: "What is wrong with the request",
        content: { "text/plain": { schema: {} } },
      },
      404: { description: "There is no such message", content: { "text/plain": { schema: {} } } },
    },
  };
}

/** The description. */
export function openApi(version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const c of calls) (paths[c.path] ??= {})[c.method] = operation(c);
  return {
    openapi: "3.1.0",
    info: {
      title: "Caught mail of localserve",
      version,
      description:
        "Calls and answers of Mailpit's /api/v1, with wait, faults and scenario besides. " +
        "Events come by websocket at /api/events.",
    },
    paths,
  };
}
