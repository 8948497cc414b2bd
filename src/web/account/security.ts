/** Ways to log in to an account, for its page. @module */
import { Buffer } from "node:buffer";
import qrcode from "qrcode-generator";
import type { securityCalls } from "../../../webmail/account/security_api.ts";
import type { Config } from "../../config/mod.ts";
import { preparePassword } from "../../sasl/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { maxAppPasswords } from "../../store/logins/app_passwords.ts";
import type { LoginLog } from "../../store/logins/attempts.ts";
import {
  addPasskey,
  credentialIds,
  listPasskeys,
  maxPasskeys,
  removePasskey,
} from "../../store/logins/passkeys.ts";
import { TlsKeyError, type TlsKeys } from "../../store/logins/tls_keys.ts";
import { newTotpKey } from "../../store/logins/totp.ts";
import { type CallHandlers, HttpError, UserError } from "../http/mod.ts";
import {
  type Challenges,
  checkNewPasskey,
  type PageContext,
  passkeyAlgorithms,
  PasskeyError,
  placeOf,
  type Sessions,
} from "../login/mod.ts";

interface Options {
  config: Config;
  sessions: Sessions;
  challenges: Challenges;
  tlsKeys: () => TlsKeys | undefined;
  loginLog: () => LoginLog | undefined;
  withAccount<T>(name: string, fn: (a: Account) => T | Promise<T>): Promise<T>;
}

/** Attempts that are shown. */
const maxShown = 200;

/** A text as a QR code: modules on a side, and the dark ones as a path of an SVG. */
export function qrPath(content: string): { size: number; path: string } {
  const code = qrcode(0, "M");
  code.addData(content);
  code.make();
  const size = code.getModuleCount();
  let path = "";
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) if (code.isDark(y, x)) path += `M${x} ${y}h1v1h-1z`;
  }
  return { size, path };
}

/** Handlers of the page's calls. */
export function securityHandlers(o: Options): CallHandlers<typeof securityCalls, PageContext> {
  const { config } = o;
  const nameOf = (c: PageContext) => c.session!.account;

  /** Runs with the account open once its password was given again. @throws UserError */
  function confirmed<T>(
    c: PageContext,
    current: string,
    fn: (a: Account) => T | Promise<T>,
  ): Promise<T> {
    return o.withAccount(nameOf(c), async (account) => {
      if (!await account.credentials.verifyPassword(preparePassword(current))) {
        throw new UserError("the current password is wrong");
      }
      return await fn(account);
    });
  }
  const keysOf = (c: PageContext) =>
    (o.tlsKeys()?.list() ?? []).filter((k) => config.accountFor(k.login) === nameOf(c));

  return {
    Security: (_r, c) =>
      o.withAccount(nameOf(c), (account) => ({
        passkeys: listPasskeys(account),
        secondFactor: account.credentials.hasSecondFactor,
        recoveryCodes: account.credentials.recoveryCodes,
        appPasswords: account.credentials.appPasswords(),
        tlsKeys: keysOf(c),
        attempts: o.loginLog()?.list(nameOf(c), maxShown) ?? [],
      })),
    SecondFactorBegin(_r, c) {
      const key = newTotpKey();
      const label = `${config.static.Hostname}:${c.session!.login}`;
      const uri = `otpauth://totp/${encodeURIComponent(label)}?secret=${key}&issuer=${
        encodeURIComponent(config.static.Hostname)
      }`;
      return { key, uri, ...qrPath(uri) };
    },
    SecondFactorOn: ({ key, code, current }, c) =>
      confirmed(c, current, async ({ credentials }) => {
        if (credentials.hasSecondFactor) throw new UserError("there is a second factor already");
        if (!/^[A-Z2-7]{16,100}$/.test(key)) throw new UserError("that is no key");
        const codes = await credentials.enableTotp(key, code.replace(/\s/g, ""), Date.now());
        if (codes === undefined) {
          throw new UserError("the code is wrong: look whether the clock of your device is right");
        }
        o.sessions.endAll(nameOf(c), c.session!.id);
        return { recoveryCodes: codes };
      }),
    SecondFactorOff: ({ current }, c) =>
      confirmed(c, current, async ({ credentials }) => {
        await credentials.disableTotp();
        return {};
      }),
    PasskeyBegin: (_r, c) =>
      o.withAccount(nameOf(c), (account) => ({
        challenge: o.challenges.make(),
        userHandle: Buffer.from(account.name).toString("base64url"),
        userName: c.session!.login,
        algorithms: passkeyAlgorithms,
        existing: credentialIds(account).map((id) => Buffer.from(id).toString("base64url")),
      })),
    PasskeyAdd: ({ name, passkey, current }, c) =>
      confirmed(c, current, async (account) => {
        let checked;
        try {
          checked = checkNewPasskey(passkey, placeOf(c.req), o.challenges);
        } catch (e) {
          if (!(e instanceof PasskeyError)) throw e;
          throw new UserError(`the passkey can't be used: ${e.message}`, { cause: e });
        }
        if (!await addPasskey(account, { ...checked, name })) {
          throw new UserError(`it is there already, or there are ${maxPasskeys}: remove one first`);
        }
        return {};
      }),
    PasskeyRemove: ({ id }, c) =>
      o.withAccount(nameOf(c), async (account) => {
        if (!await removePasskey(account, id)) throw new HttpError(404, "no such passkey");
        return {};
      }),
    AppPasswordAdd: ({ name, current }, c) =>
      confirmed(c, current, async ({ credentials }) => {
        const password = await credentials.addAppPassword(name);
        if (password === undefined) {
          throw new UserError(`there are ${maxAppPasswords} already: remove one that is not used`);
        }
        return { password };
      }),
    AppPasswordRemove: ({ id }, c) =>
      o.withAccount(nameOf(c), async ({ credentials }) => {
        if (!await credentials.removeAppPassword(id)) throw new HttpError(404, "no such password");
        return {};
      }),
    TlsKeyAdd: ({ login, certificate, name, current }, c) =>
      confirmed(c, current, async () => {
        if (config.accountFor(login) !== nameOf(c)) {
          throw new UserError(`${login} is not an address of yours`);
        }
        try {
          await o.tlsKeys()!.add(
            { login: login.toLowerCase(), account: nameOf(c) },
            certificate,
            name,
          );
        } catch (e) {
          if (e instanceof TlsKeyError) throw new UserError(e.message, { cause: e });
          throw e;
        }
        return {};
      }),
    async TlsKeyRemove({ fingerprint }, c) {
      if (!keysOf(c).some((k) => k.fingerprint === fingerprint)) {
        throw new HttpError(404, "no such key");
      }
      await o.tlsKeys()!.remove(fingerprint);
      return {};
    },
    OtherSessionsEnd(_r, c) {
      o.sessions.endAll(nameOf(c), c.session!.id);
      return {};
    },
  };
}
