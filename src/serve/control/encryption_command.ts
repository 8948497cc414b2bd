/** The key that incoming mail of an account is encrypted to, for the administrator. @module */
import { encryptionKeyOf, setEncryptionKey } from "../../delivery/sealing.ts";
import { KeyError } from "../../encryption/mod.ts";
import { type AdminCommand, textArgument } from "./admin_command.ts";
import { ControlError } from "./control.ts";

/** Commands on the keys that incoming mail is encrypted to. */
export const encryptionCommands: Record<string, AdminCommand> = {
  async "config account encryption"({ config, accounts }, args, print) {
    const name = textArgument(args, "account");
    if (!config.account(name)) throw new ControlError(`no account ${name}`);
    const account = await accounts.open(name);
    try {
      const key = typeof args.key === "string" ? args.key : undefined;
      if (key !== undefined || args.remove === true) {
        await setEncryptionKey(account, key, Date.now());
      }
      const found = await encryptionKeyOf(account);
      if (!found) return print(`mail for ${name} is stored as it comes\n`);
      const { info } = found;
      const until = info.expires === undefined
        ? "without end"
        : `good until ${new Date(info.expires).toISOString().slice(0, 10)}`;
      const kind = info.kind === "pgp" ? "OpenPGP" : "S/MIME";
      print(`mail for ${name} is encrypted: ${kind} ${info.fingerprint}, ${info.name}, ${until}\n`);
    } catch (err) {
      if (err instanceof KeyError) throw new ControlError(err.message);
      throw err;
    } finally {
      account.close();
    }
  },
};
