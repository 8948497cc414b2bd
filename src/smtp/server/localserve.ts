/**
 * How localserve misbehaves on request, so that developers can see what their program does when mail can't be
 * delivered: the end of a localpart chooses the failure.
 *
 * `...temperror` gives 451, `...permerror` 550, a number of three digits that code, `...timeout` no answer for an hour. For
 * a recipient it is the answer to the message, or to RCPT if the localpart starts with `rcptto`; a sender that
 * starts with `mailfrom` gets it at MAIL. `queue...` is left to the queue.
 *
 * @module
 */
import type { Delivered, Outcome, SmtpBackend, SmtpSession } from "./backend.ts";
import { SmtpError } from "./errors.ts";
import { misbehaviourOf } from "../../mail/misbehaviour.ts";
import type { Faults } from "./faults.ts";
import { type Address, addressText } from "./path.ts";

/** The refusal for a requested code. */
export function requestedError(code: number): SmtpError {
  return new SmtpError(code, "3.0", "localserve refuses on purpose, as the address's end asks for");
}

const anHour = 3600_000;

/** Puts the misbehaviour in front of a backend: by localparts and by the faults that are set. */
export function misbehaving(backend: SmtpBackend, faults?: Faults): SmtpBackend {
  async function act(session: SmtpSession, address: Address | undefined): Promise<void> {
    const asked = address && misbehaviourOf(address.localpart);
    if (asked === undefined) return;
    session.log.info("misbehaving as asked for", { localpart: address!.localpart });
    if (asked.kind === "error") throw requestedError(asked.code);
    await session.pause(anHour);
    throw requestedError(451);
  }
  const prefixed = (address: Address | undefined, prefix: string) =>
    address?.localpart.toLowerCase().startsWith(prefix) ? address : undefined;

  return {
    sasl: backend.sasl,
    connected: async (session) => await backend.connected?.(session),
    async authenticated(session, username, credential) {
      await faults?.at("Authentication", session);
      await backend.authenticated?.(session, username, credential);
    },
    startMessage: (session, transaction) => backend.startMessage?.(session, transaction),
    failed: async (session, transaction, message, failures) =>
      await backend.failed?.(session, transaction, message, failures),
    disconnected: async (session) => await backend.disconnected?.(session),
    async checkMailFrom(session, transaction) {
      await faults?.at("Sender", session);
      await act(session, prefixed(transaction.mailFrom, "mailfrom"));
      return await backend.checkMailFrom?.(session, transaction);
    },
    async checkRecipient(session, transaction, recipient) {
      await faults?.at("Recipient", session);
      faults?.greylist(
        transaction.mailFrom ? addressText(transaction.mailFrom) : "",
        addressText(recipient.address),
      );
      await act(session, prefixed(recipient.address, "rcptto"));
      return await backend.checkRecipient(session, transaction, recipient);
    },
    async deliver(session, transaction, message): Promise<Delivered> {
      await faults?.message(session, message.size);
      const outcomes: Outcome[] = [];
      for (const { address } of transaction.recipients) {
        try {
          const skip = prefixed(address, "queue") ?? prefixed(address, "rcptto");
          if (skip === undefined) await act(session, address);
          outcomes.push(undefined);
        } catch (e) {
          if (!(e instanceof SmtpError)) throw e;
          outcomes.push(e);
        }
      }
      const recipients = transaction.recipients.filter((_, i) => outcomes[i] === undefined);
      if (recipients.length === 0) return { outcomes };
      const rest = await backend.deliver(session, { ...transaction, recipients }, message);
      let k = 0;
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome === undefined) outcomes[i] = rest.outcomes[k++];
      }
      return { ...rest, outcomes };
    },
  };
}
