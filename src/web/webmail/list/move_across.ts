/** Moving messages between accounts. @module */
import type { Done } from "../../../../webmail/api/mod.ts";
import { copyAcross } from "../../../store/account/copy_across.ts";
import { type Mailbox, SpecialUse } from "../../../store/types.ts";
import { UserError } from "../../http/mod.ts";
import { markJunk } from "./actions.ts";
import type { Noted } from "./noted.ts";
import { countTargets, inWrites, type TargetUids } from "./targets.ts";
import type { Mail } from "../others/mail.ts";

/**
 * Moves messages to a mailbox of another account; the caller has checked rights. The copies exist before the originals
 * are removed: should the server stop in between, both exist.
 * @throws UserError that says how many were moved, if not all could be; StoreError
 */
export async function moveAcross(
  from: Mail,
  found: TargetUids,
  to: Mail,
  mailbox: Mailbox,
  noted: Noted,
): Promise<Done> {
  const wanted = countTargets(found);
  let count = 0;
  for (const { mailboxId, uids } of inWrites(found)) {
    try {
      const { fromUids, toUids } = await copyAcross({ account: from.account, mailboxId }, uids, {
        account: to.account,
        mailboxId: mailbox.id,
        rights: to.rights(mailbox.id),
      });
      await from.account.expunge(mailboxId, fromUids, undefined, { force: true });
      if (to.base === 0 && mailbox.specialUse & SpecialUse.Junk) {
        await markJunk(to.account, mailbox.id, toUids);
      }
      await noted("COPY", mailbox.id, toUids);
      count += fromUids.length;
    } catch (err) {
      const gone = err instanceof Deno.errors.NotFound;
      if (count === 0 && !gone) throw err;
      throw new UserError(
        count === 0
          ? "some of these messages are gone: try again with the others"
          : `${count} of ${wanted} messages were moved to ${mailbox.name}, the others could not be: try again`,
        { cause: err },
      );
    }
  }
  return { count, undo: null };
}
