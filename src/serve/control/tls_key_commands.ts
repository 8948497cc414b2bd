/** `config tlspubkey`: keys of TLS client certificates for login. @module */
import { TlsKeyError, TlsKeys } from "../../store/logins/tls_keys.ts";
import { type AdminCommand, textArgument } from "./admin_command.ts";
import { ControlError } from "./control.ts";
import { loginAccount } from "../logins.ts";

/** Runs with the database open; the running server has a handle of its own. */
async function withKeys<T>(dataDir: string, fn: (keys: TlsKeys) => Promise<T> | T): Promise<T> {
  const keys = await TlsKeys.open(dataDir);
  try {
    return await fn(keys);
  } catch (err) {
    throw err instanceof TlsKeyError ? new ControlError(err.message) : err;
  } finally {
    await keys.close();
  }
}

export const tlsKeyCommands: Record<string, AdminCommand> = {
  "tlspubkey add": ({ config }, args, print) =>
    withKeys(config.dataDir, async (keys) => {
      const login = textArgument(args, "address").toLowerCase();
      const account = loginAccount(config, login);
      if (account === undefined) {
        throw new ControlError(`${login} is not an address that an account can log in with`);
      }
      const name = typeof args.name === "string" ? args.name : "";
      const key = await keys.add({ login, account }, textArgument(args, "certificate"), name);
      print(`${key.fingerprint} ${key.type} ${key.login} ${key.name}\n`);
    }),
  "tlspubkey list": ({ config }, args, print) =>
    withKeys(config.dataDir, (keys) => {
      const login = typeof args.address === "string" ? args.address.toLowerCase() : "";
      for (const k of keys.list(login)) {
        const added = new Date(k.added).toISOString().slice(0, 10);
        print(`${k.fingerprint} ${k.type} ${k.login} ${added} ${k.name}\n`);
      }
    }),
  "tlspubkey get": ({ config }, args, print) =>
    withKeys(config.dataDir, (keys) => {
      const pem = keys.certificate(textArgument(args, "fingerprint"));
      if (pem === undefined) throw new ControlError("there is no such key");
      print(pem);
    }),
  "tlspubkey rm": ({ config }, args) =>
    withKeys(config.dataDir, async (keys) => {
      if (!await keys.remove(textArgument(args, "fingerprint"))) {
        throw new ControlError("there is no such key");
      }
    }),
};
