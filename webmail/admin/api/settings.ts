/** Calls for settings: configuration files, the web server, log levels, the password. @module */
import * as v from "valibot";
import { confirmation } from "../../account/security_api.ts";
import { Count, Nothing, text } from "../../api/basics.ts";

/** Header names with values. */
const headers = v.array(v.strictObject({ name: text(200), value: text(4000) }));

/** What a handler of the web server does. */
export const WebAction = v.variant("kind", [
  v.strictObject({
    kind: v.literal("static"),
    stripPrefix: text(1000),
    root: text(1000),
    listFiles: v.boolean(),
    continueNotFound: v.boolean(),
    headers,
  }),
  v.strictObject({
    kind: v.literal("redirect"),
    baseUrl: text(1000),
    origPath: text(1000),
    replacePath: text(1000),
    status: Count,
  }),
  v.strictObject({ kind: v.literal("forward"), url: text(1000), stripPath: v.boolean(), headers }),
  v.strictObject({
    kind: v.literal("internal"),
    basePath: text(1000),
    service: v.picklist(["admin", "account", "webmail", "webapi"]),
  }),
]);
export type WebAction = v.InferOutput<typeof WebAction>;

export const WebHandler = v.strictObject({
  logName: text(200),
  domain: text(300),
  path: text(1000),
  plainHttp: v.boolean(),
  compress: v.boolean(),
  action: WebAction,
});
export type WebHandler = v.InferOutput<typeof WebHandler>;

const webServer = {
  redirects: v.pipe(v.array(v.strictObject({ from: text(300), to: text(300) })), v.maxLength(1000)),
  handlers: v.pipe(v.array(WebHandler), v.maxLength(1000)),
};

export const Problem = v.object({
  /** Counted from 1; 0 for the whole file. */
  line: Count,
  message: v.string(),
});
export type Problem = v.InferOutput<typeof Problem>;

export const settingsCalls = {
  ConfigFiles: {
    request: Nothing,
    response: v.object({
      static: v.object({ path: v.string(), text: v.string() }),
      /** `version` identifies this text. */
      dynamic: v.object({ path: v.string(), text: v.string(), version: v.string() }),
    }),
  },
  /** Checks a text of domains.conf, and puts it into effect if it has no errors and that is requested. */
  ConfigWrite: {
    request: v.strictObject({
      text: text(1_900_000),
      /** Version of the text when editing began; a different one is not overwritten. */
      version: text(100),
      /** Only check. */
      check: v.boolean(),
    }),
    response: v.object({ problems: v.array(Problem) }),
  },
  /** Fields of domains.conf with their documentation. */
  ConfigHelp: { request: Nothing, response: v.object({ text: v.string() }) },
  WebServer: {
    request: Nothing,
    response: v.object({ ...webServer, listening: v.array(v.string()) }),
  },
  WebServerSet: { request: v.strictObject(webServer), response: Nothing },
  LogLevels: {
    request: Nothing,
    response: v.object({
      levels: v.array(v.object({ pkg: v.string(), level: v.string() })),
      /** Package names for which a level can be set, as far as they are known or have logged. */
      packages: v.array(v.string()),
    }),
  },
  LogLevelSet: {
    request: v.strictObject({ pkg: text(100), level: text(30) }),
    response: Nothing,
  },
  PasswordSet: {
    request: v.strictObject({ password: text(1000), ...confirmation }),
    response: Nothing,
  },
};
