/** All inputs of the bench. */
import { beforeLogin } from "./before_login.ts";
import { afterLogin } from "./after_login.ts";
import { contactsAndCalendars } from "./contacts_calendars.ts";
import { newer } from "./newer.ts";
import { lists } from "./lists.ts";
import { http2 } from "./http2.ts";
import { otherProtocols } from "./other_protocols.ts";
import { pagesAndSubmission } from "./pages_and_submission.ts";
import { proxies } from "./proxies.ts";
import { scanners } from "./scanners.ts";
import { stored } from "./stored.ts";
import type { Input } from "./peer.ts";

export const inputs: Input[] = [
  ...beforeLogin,
  ...afterLogin,
  ...http2,
  ...otherProtocols,
  ...contactsAndCalendars,
  ...lists,
  ...pagesAndSubmission,
  ...proxies,
  ...scanners,
  ...stored,
  ...newer,
];
