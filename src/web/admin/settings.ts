/** Settings: configuration files, log levels, the administrator's password. @module */
import { createHash } from "node:crypto";
import type { settingsCalls } from "../../../webmail/admin/api/settings.ts";
import * as admin from "../../admin/mod.ts";
import { ConfigError, describeDomains, readConfigFile } from "../../config/mod.ts";
import { clearLevel, currentLevels, isLevel, knownPackages, setLevel } from "../../log/mod.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { type AdminPageOptions, confirmAdmin, withAdminErrors } from "./options.ts";
import { webHandlerOf, webHandlerShown } from "./web_handlers.ts";

const versionOf = (text: string) => createHash("sha256").update(text).digest("base64url");

export function settingsHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof settingsCalls, PageContext> {
  const { config } = options;
  return {
    // Passwords and keys are in files of their own.
    async ConfigFiles() {
      const file = async (path: string) => ({ path, text: await readConfigFile(path) });
      const dynamic = await file(config.dynamicPath);
      return {
        static: await file(config.staticPath),
        dynamic: { ...dynamic, version: versionOf(dynamic.text) },
      };
    },
    async ConfigWrite({ text, version, check }) {
      try {
        if (check) return { problems: config.checkDynamicText(text) };
        await config.replaceDynamicText(text, (now) => versionOf(now) === version);
        return { problems: [] };
      } catch (e) {
        if (e instanceof ConfigError) return { problems: [...e.problems] };
        throw e;
      }
    },
    ConfigHelp: () => ({ text: describeDomains() }),
    WebServer: () => ({
      redirects: [...config.dynamic.WebDomainRedirects].map(([from, to]) => ({ from, to })),
      handlers: config.dynamic.WebHandlers.map(webHandlerShown),
      listening: options.listeners().filter((l) => l.includes("webserver")),
    }),
    async WebServerSet({ redirects, handlers }) {
      const names = redirects.map((r) => r.from.toLowerCase());
      const twice = names.find((n, i) => names.indexOf(n) !== i);
      if (twice !== undefined) throw new UserError(`there are two redirects of ${twice}`);
      await withAdminErrors(() =>
        config.writeDynamic((value) => {
          value.WebDomainRedirects = new Map(redirects.map((r) => [r.from, r.to]));
          value.WebHandlers = handlers.map(webHandlerOf);
        })
      );
      return {};
    },
    LogLevels: () => ({
      levels: Object.entries(currentLevels()).map(([pkg, level]) => ({ pkg, level })),
      packages: knownPackages(),
    }),
    LogLevelSet({ pkg, level }) {
      if (level === "default") clearLevel(pkg);
      else if (isLevel(level)) setLevel(pkg, level);
      else throw new UserError(`no log level ${level}`);
      return {};
    },
    async PasswordSet({ password, ...given }, context) {
      await confirmAdmin(options, context, given);
      await withAdminErrors(() => admin.writeAdminPassword(config, password));
      options.sessions.endAll("", context.session!.id);
      return {};
    },
  };
}
