/** Authenticates the client: see web/http/program_login.ts. @module */
import { programLogin, type WebRequest } from "../../web/http/mod.ts";
import type { LoggedInUser } from "../core/method.ts";
import type { JmapServices } from "../services.ts";

/** Checks name and password of a request. @throws HttpError 401, 403, 429 */
export function authenticate(services: JmapServices, req: WebRequest): Promise<LoggedInUser> {
  return programLogin(services, req, "jmap");
}
