/** Handlers of the web server between domains.conf and the page. @module */
import type { WebAction, WebHandler as Shown } from "../../../webmail/admin/api/settings.ts";
import { type WebHandler, webHandler } from "../../config/mod.ts";

const headersShown = (m: ReadonlyMap<string, string>) =>
  [...m].map(([name, value]) => ({ name, value }));
const headersOf = (list: readonly { name: string; value: string }[]) =>
  new Map(list.map((h) => [h.name, h.value]));

/** A handler for the page. */
export function webHandlerShown(h: WebHandler): Shown {
  return {
    logName: h.LogName,
    domain: h.Domain,
    path: h.PathRegexp,
    plainHttp: h.DontRedirectPlainHTTP,
    compress: h.Compress,
    action: actionShown(h),
  };
}

function actionShown(h: WebHandler): WebAction {
  if (h.WebStatic) {
    return {
      kind: "static",
      stripPrefix: h.WebStatic.StripPrefix,
      root: h.WebStatic.Root,
      listFiles: h.WebStatic.ListFiles,
      continueNotFound: h.WebStatic.ContinueNotFound,
      headers: headersShown(h.WebStatic.ResponseHeaders),
    };
  }
  if (h.WebRedirect) {
    return {
      kind: "redirect",
      baseUrl: h.WebRedirect.BaseURL,
      origPath: h.WebRedirect.OrigPathRegexp,
      replacePath: h.WebRedirect.ReplacePath,
      status: h.WebRedirect.StatusCode,
    };
  }
  if (h.WebForward) {
    return {
      kind: "forward",
      url: h.WebForward.URL,
      stripPath: h.WebForward.StripPath,
      headers: headersShown(h.WebForward.ResponseHeaders),
    };
  }
  // The check of the configuration lets no handler through that has none of the four.
  const { BasePath, Service } = h.WebInternal!;
  return { kind: "internal", basePath: BasePath, service: Service || "webmail" };
}

/** What the page says, as domains.conf has it. */
export function webHandlerOf(s: Shown): WebHandler {
  const { action } = s;
  const h: WebHandler = {
    ...webHandler.zero(),
    LogName: s.logName,
    Domain: s.domain,
    PathRegexp: s.path,
    DontRedirectPlainHTTP: s.plainHttp,
    Compress: s.compress,
  };
  switch (action.kind) {
    case "static":
      h.WebStatic = {
        StripPrefix: action.stripPrefix,
        Root: action.root,
        ListFiles: action.listFiles,
        ContinueNotFound: action.continueNotFound,
        ResponseHeaders: headersOf(action.headers),
      };
      break;
    case "redirect":
      h.WebRedirect = {
        BaseURL: action.baseUrl,
        OrigPathRegexp: action.origPath,
        ReplacePath: action.replacePath,
        StatusCode: action.status,
      };
      break;
    case "forward":
      h.WebForward = {
        StripPath: action.stripPath,
        URL: action.url,
        ResponseHeaders: headersOf(action.headers),
      };
      break;
    case "internal":
      h.WebInternal = { BasePath: action.basePath, Service: action.service };
      break;
  }
  return h;
}
