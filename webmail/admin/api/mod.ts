/**
 * The calls of the admin page: schemas shared by server and page. Imports valibot and the webmail's basic
 * schemas; src/web/admin and the page import it.
 *
 * @module
 */
import * as v from "valibot";
import { Nothing, text } from "../../api/basics.ts";
import { accountsCalls } from "./accounts.ts";
import { domainCalls } from "./domains.ts";
import { hookCalls } from "./hooks.ts";
import { listCalls } from "./lists.ts";
import { movingCalls } from "./moving.ts";
import { nodeCalls } from "./nodes.ts";
import { queueCalls } from "./queue.ts";
import { reportCalls } from "./reports.ts";
import { securityCalls } from "./security.ts";
import { serverCalls } from "./server.ts";
import { settingsCalls } from "./settings.ts";
import { tokenCalls } from "./tokens.ts";

export const adminCalls = {
  Login: {
    request: v.strictObject({
      username: text(500),
      password: text(1000),
      totp: v.optional(text(20)),
    }),
    response: Nothing,
  },
  Session: {
    request: Nothing,
    response: v.object({
      loggedIn: v.boolean(),
      hostname: v.string(),
      /** For an administrator of some domains only, their names; null for the server's administrator. */
      domains: v.nullable(v.array(v.string())),
    }),
  },
  Logout: { request: Nothing, response: Nothing },
  ...serverCalls,
  ...domainCalls,
  ...listCalls,
  ...accountsCalls,
  ...movingCalls,
  ...nodeCalls,
  ...queueCalls,
  ...hookCalls,
  ...reportCalls,
  ...securityCalls,
  ...settingsCalls,
  ...tokenCalls,
};
