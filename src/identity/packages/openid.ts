/** The packages of logins with OpenID, loaded by the first login. @module */
import { rareModule } from "../../platform/rare_modules.ts";

export type OpenIdLibrary = typeof import("./openid_packages.ts");

export const openIdLibrary = rareModule<OpenIdLibrary>(
  new URL("./openid_packages.ts", import.meta.url),
);
