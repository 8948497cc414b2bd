/** Handlers of the web server between domains.conf and the page. @module */
import type { WebAction, WebHandler as Shown } from "../../../webmail/admin/api/settings.ts";
import { type WebHandler, webHandler } from "../../config/mod.ts";

const headersShown = (m: ReadonlyMap<string, string>) =>
  [...m].map(([name, value]) => ({ name, value }));
const headersOf = (list: readonly { name: string; value: string }[]) =>
  new Map(list.map((h) => [h.name, h.value]));

/** A handler for the page. */
export function webHandlerShown(handler: WebHandler): Shown {
  return {
    logName: handler.LogName,
    domain: handler.Domain,
    path: handler.PathRegexp,
    plainHttp: handler.DontRedirectPlainHTTP,
    compress: handler.Compress,
    action: actionShown(handler),
  };
}

function actionShown(handler: WebHandler): WebAction {
  if (handler.WebStatic) {
    return {
      kind: "static",
      stripPrefix: handler.WebStatic.StripPrefix,
      root: handler.WebStatic.Root,
      listFiles: handler.WebStatic.ListFiles,
      continueNotFound: handler.WebStatic.ContinueNotFound,
      headers: headersShown(handler.WebStatic.ResponseHeaders),
    };
  }
  if (handler.WebRedirect) {
    return {
      kind: "redirect",
      baseUrl: handler.WebRedirect.BaseURL,
      origPath: handler.WebRedirect.OrigPathRegexp,
      replacePath: handler.WebRedirect.ReplacePath,
      status: handler.WebRedirect.StatusCode,
    };
  }
  if (handler.WebForward) {
    return {
      kind: "forward",
      url: handler.WebForward.URL,
      stripPath: handler.WebForward.StripPath,
      headers: headersShown(handler.WebForward.ResponseHeaders),
    };
  }
  // The configuration's check guarantees one of the four.
  const { BasePath, Service } = handler.WebInternal!;
  return { kind: "internal", basePath: BasePath, service: Service || "webmail" };
}

/** The page's input in the form of domains.conf. */
export function webHandlerOf(shown: Shown): WebHandler {
  const { action } = shown;
  const h: WebHandler = {
    ...webHandler.zero(),
    LogName: shown.logName,
    Domain: shown.domain,
    PathRegexp: shown.path,
    DontRedirectPlainHTTP: shown.plainHttp,
    Compress: shown.compress,
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
