/** Handlers of the web server in domains.conf. @module */
import { type Infer, nullable, optional, required } from "../sconf/schema.ts";
import { map, struct } from "../sconf/schema_blocks.ts";
import { bool, int, text, word } from "../sconf/schema_scalars.ts";
import { checkRegexp, domainText, fileText, httpUrlText, regexpText } from "../sconf/types.ts";

const headers = map(
  text(),
  (s) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(s) ? undefined : "is not the name of a header",
);

const slashText = text((s) => s.startsWith("/") ? undefined : "must start with a slash");

/** `https://host?query#fragment`, or `//host` to keep the scheme; no path. */
const baseUrlText = text((s) => {
  const full = s.startsWith("//") ? `https:${s}` : s;
  const url = /^https?:\/\//.test(full) && URL.canParse(full) ? new URL(full) : undefined;
  if (!url) return "is not a URL starting with http://, https:// or //";
  return url.pathname === "/" ? undefined : "must have no path";
}, "a URL");

const webStatic = struct({
  StripPrefix: optional(
    slashText,
    "Taken off the request's path before a file is looked for. Requests with another start are not found, " +
      "or with ContinueNotFound left to later handlers.",
  ),
  Root: required(
    fileText,
    "Folder of the files. Relative paths start at the folder that the server runs in.",
  ),
  ListFiles: optional(
    bool,
    "Show what is in a folder that has no index.html. Otherwise the answer is 403.",
  ),
  ContinueNotFound: optional(
    bool,
    "Leave requests for files that are not there to later handlers, for example to a program that makes them. " +
      "Then only GET and HEAD are handled here.",
  ),
  ResponseHeaders: optional(
    headers,
    "Headers of the answers, for example Cache-Control. Content-Type is set by itself for known kinds of " +
      "files unless it is here.",
  ),
});

const webRedirect = struct({
  BaseURL: optional(
    baseUrlText,
    "Where to redirect to: a URL without path, whose path then is the request's, or made by the two fields " +
      "below. Query strings are combined. //host keeps http or https. Without BaseURL only the path changes. " +
      "A request that would be redirected to itself is left to later handlers, so one handler can send all " +
      "of http to https.",
  ),
  OrigPathRegexp: optional(
    regexpText,
    "Expression for the request's path; one that does not match is not found (404). Goes with ReplacePath.",
  ),
  ReplacePath: optional(
    text(),
    "New path, in which $1 stands for the text of the first group of OrigPathRegexp, and so on.",
  ),
  StatusCode: optional(int(0, 399), "Status of the answer, for example 307.", 308),
});

const webForward = struct({
  StripPath: optional(bool, "Take what PathRegexp matched off the path before forwarding."),
  URL: required(
    httpUrlText,
    "Where requests go, for example http://127.0.0.1:8123/base, to which the path is added. The Host header " +
      "stays; X-Forwarded-For, -Host and -Proto are set. Websockets are passed through.",
  ),
  ResponseHeaders: optional(headers, "Headers to add to the answers."),
});

const webInternal = struct({
  BasePath: required(
    text(
      (s) => s.startsWith("/") && s.endsWith("/") ? undefined : "must start and end with a slash",
    ),
    "Path of the service, for example /webmail/.",
  ),
  Service: required(
    word(["admin", "account", "webmail", "webapi"]),
    "Which service: admin, account, webmail or webapi.",
  ),
});

export const webHandler = struct({
  LogName: optional(text(), "Name in the log and in metrics. By default its number."),
  Domain: required(domainText, "Host of the requests."),
  PathRegexp: required(
    text(
      (s) => s.startsWith("^") ? checkRegexp(s) : "must start with ^",
      "a regular expression",
    ),
    "Regular expression for the start of the path; it begins with ^.",
  ),
  DontRedirectPlainHTTP: optional(
    bool,
    "Answer plain HTTP as well. Otherwise its requests are sent to HTTPS (308). Set it where there is no HTTPS.",
  ),
  Compress: optional(
    bool,
    "Compress answers for clients that can take it, if they are of status 200 and of a kind that gets smaller. " +
      "Compressed static files are kept for further requests.",
  ),
  WebStatic: nullable(webStatic, "Serve files."),
  WebRedirect: nullable(webRedirect, "Redirect."),
  WebForward: nullable(webForward, "Pass requests to another web server, as a reverse proxy."),
  WebInternal: nullable(webInternal, "Serve a page of the mail server."),
});
export type WebHandler = Infer<typeof webHandler>;
export type WebStatic = Infer<typeof webStatic>;
export type WebRedirect = Infer<typeof webRedirect>;
export type WebForward = Infer<typeof webForward>;
export type WebInternal = Infer<typeof webInternal>;
