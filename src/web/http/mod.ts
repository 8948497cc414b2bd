/**
 * HTTP: listeners, requests and answers, routing to services, calls with checked JSON.
 *
 * Imports platform, log, metrics and net. Called by the web services beside it and by serve/.
 *
 * @module
 */
export { Allowance } from "./allowance.ts";
export { fixedResponse } from "./fixed_body.ts";
export { JsonError, parseJson } from "./json.ts";
export { parseJsonBody } from "./large_json.ts";
export { type JsonSchema, jsonSchemaOf } from "./json_schema.ts";
export { type HttpLogin, limitedLogin, type LoginFailure } from "./limited_login.ts";
export {
  credentialsOf,
  type ProgramLogin,
  programLogin,
  type ProgramLogins,
  type ProgramUser,
} from "./program_login.ts";
export { requestOf } from "./request.ts";
export { errorResponse, jsonResponse, redirect, textResponse } from "./respond.ts";
export {
  answerCall,
  callBody,
  callError,
  callFailure,
  type CallHandlers,
  type Calls,
  type CallSchemas,
  checkedRequest,
  jsonBody,
  maxCallBody,
  UserError,
} from "./rpc.ts";
export { seal, unseal } from "./seal.ts";
export { checkCall, checkSameSite } from "./same_site.ts";
export type { HttpHandlers } from "./answering.ts";
export { type HttpOptions, serveHttp } from "./server.ts";
export { ownHost, requestHost, routeServices } from "./services.ts";
export {
  diskFull,
  HttpError,
  type UpgradeHandler,
  type WebHandler,
  type WebRequest,
  type WebService,
} from "./types.ts";
