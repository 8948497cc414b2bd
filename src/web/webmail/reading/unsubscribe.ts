/** Leaving a mailing list by one click (RFC 8058): the request comes from here, not from the reader's browser. @module */
import type { Account } from "../../../store/account/account.ts";
import { HttpError, UserError } from "../../http/mod.ts";
import type { WebmailServices } from "../services.ts";
import { authenticationOf } from "./authentication.ts";
import { headerFields, withContent } from "./content.ts";
import { listUnsubscribe } from "./list_headers.ts";

/**
 * Asks the list's server to send no more. Only for messages whose sender is vouched for by DKIM: others
 * could make this server call any address (RFC 8058 §4).
 * @throws UserError with what can be done instead
 */
export async function unsubscribe(
  services: WebmailServices,
  account: Account,
  id: number,
): Promise<void> {
  const url = await withContent(account, id, (content) => {
    const list = listUnsubscribe(headerFields(content));
    if (list === null || !list.oneClick || list.url === null) {
      throw new UserError("this list can't be left by one click: follow its link");
    }
    if (authenticationOf(account, content)?.dkim !== "pass") {
      throw new UserError("this message's signature doesn't hold: follow its link if you trust it");
    }
    return list.url;
  });
  if (services.postOneClick === undefined) {
    throw new HttpError(503, "this server makes no requests");
  }
  let status: number;
  try {
    status = await services.postOneClick(url);
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err);
    throw new UserError(`the list's server could not be reached: ${why}`, { cause: err });
  }
  if (status < 200 || status >= 300) {
    throw new UserError(
      `the list's server answered with status ${status}: follow its link instead`,
    );
  }
}
