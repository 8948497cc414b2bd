/**
 * Conditions for domains.conf beyond the form of single values, including those together with mox.conf. @module
 */
import type { Account, Destination } from "./account.ts";
import { type AddressIndex, addressKey, buildIndex, canonicalLocalpart } from "./addresses.ts";
import { checkUnique } from "../static/check_static.ts";
import type { Domain } from "./domain.ts";
import { addLists } from "./list_addresses.ts";
import type { Dynamic } from "./dynamic.ts";
import { asciiDomain, NameError, parseAddress } from "../names.ts";
import type { PathReport } from "../sconf/schema.ts";
import type { Static } from "../static/static.ts";
import { hostTransports, type Route } from "../static/transport.ts";
import { isInbox } from "../sconf/types.ts";
import type { WebHandler } from "./web_handler.ts";

type Path = (string | number)[];

/** Reports all problems, and returns the addresses. */
export function checkDynamic(s: Static, dynamic: Dynamic, report: PathReport): AddressIndex {
  if (!dynamic.Accounts.has(s.Postmaster.Account)) {
    report(
      ["Accounts"],
      `there is no account ${JSON.stringify(s.Postmaster.Account)}, the Postmaster of mox.conf`,
    );
  }
  const index = buildIndex(s, dynamic, report);
  addLists(index, report);
  checkRoutes(["Routes"], dynamic.Routes, s, report);
  for (const [name, domain] of dynamic.Domains) {
    checkDomain(["Domains", name], domain, s, report);
    checkAdministrators(["Domains", name, "Administrators"], domain, dynamic, report);
    domain.Relay?.Senders.forEach((account, i) => {
      if (!dynamic.Accounts.has(account)) {
        report(
          ["Domains", name, "Relay", "Senders", i],
          `there is no account ${JSON.stringify(account)}`,
        );
      }
    });
  }
  for (const [name, account] of dynamic.Accounts) {
    checkAccount(["Accounts", name], account, index, report);
    checkDelegates(["Accounts", name], name, account, dynamic, report);
    checkRoutes(["Accounts", name, "Routes"], account.Routes, s, report);
  }
  checkFolders([...dynamic.Accounts.keys()], report);
  checkNodes(s, dynamic, report);
  checkWeb(s, dynamic, report);
  checkUnique(
    dynamic.MonitorDNSBLs,
    (i, zone) => report(["MonitorDNSBLs", i], `${zone} is there twice`),
  );
  return index;
}

function checkRoutes(path: Path, routes: Route[], s: Static, report: PathReport): void {
  routes.forEach((route, i) => {
    if (route.Transport !== "" && !s.Transports.has(route.Transport)) {
      report(
        [...path, i, "Transport"],
        `there is no ${JSON.stringify(route.Transport)} among Transports of mox.conf`,
      );
    }
    for (const key of ["FromDomain", "ToDomain"] as const) {
      route[key].forEach((name, j) => {
        const plain = name.replace(/^\./, "");
        if (plain !== "" && asciiDomain(plain) === undefined) {
          report([...path, i, key, j], `${JSON.stringify(name)} is not a domain`);
        }
      });
    }
  });
}

function checkDomain(path: Path, domain: Domain, s: Static, report: PathReport): void {
  for (
    const [key, all] of [["OpenIDProvider", "OpenIDProviders"], [
      "LDAPDirectory",
      "LDAPDirectories",
    ]] as const
  ) {
    if (domain[key] !== "" && !s[all].has(domain[key])) {
      report([...path, key], `there is no ${JSON.stringify(domain[key])} among ${all} of mox.conf`);
    }
  }
  if (domain.LDAPGroup !== "" && domain.LDAPDirectory === "") {
    report([...path, "LDAPGroup"], "needs LDAPDirectory, which has the group");
  }
  domain.DKIM.Sign.forEach((name, i) => {
    if (!domain.DKIM.Selectors.has(name)) {
      report([...path, "DKIM", "Sign", i], `there is no selector ${JSON.stringify(name)}`);
    }
  });
  checkUnique(
    domain.DKIM.Sign,
    (i, name) => report([...path, "DKIM", "Sign", i], `${name} is there twice`),
  );
  for (const [name, selector] of domain.DKIM.Selectors) {
    const headers = selector.Headers.map((h) => h.toLowerCase());
    // RFC 6376 §5.4: the From field must be signed.
    if (headers.length > 0 && !headers.includes("from")) {
      report(
        [...path, "DKIM", "Selectors", name, "Headers"],
        "From must be among the signed headers",
      );
    }
  }
  if (domain.MTASTS) {
    if (![...s.Listeners.values()].some((l) => l.MTASTSHTTPS.Enabled)) {
      report(
        [...path, "MTASTS"],
        "no listener in mox.conf has MTASTSHTTPS, which serves the policy",
      );
    }
    // RFC 8461 §3.2: at most a year.
    if (domain.MTASTS.MaxAge > 31_557_600_000) {
      report([...path, "MTASTS", "MaxAge"], "is longer than a year");
    }
    domain.MTASTS.MX.forEach((name, i) => {
      if (asciiDomain(name.replace(/^\*\./, "")) === undefined) {
        report([...path, "MTASTS", "MX", i], `${JSON.stringify(name)} is not a host`);
      }
    });
  }
  checkRelay([...path, "Relay"], domain, s, report);
  checkRoutes([...path, "Routes"], domain.Routes, s, report);
}

function checkRelay(path: Path, { Relay }: Domain, s: Static, report: PathReport): void {
  if (!Relay || Relay.Transport === "") return;
  const transport = s.Transports.get(Relay.Transport);
  if (!transport) {
    report(
      [...path, "Transport"],
      `there is no ${JSON.stringify(Relay.Transport)} among Transports of mox.conf`,
    );
  } else if (!hostTransports.some((kind) => transport[kind])) {
    // According to its MX records the mail would come back here.
    report(
      [...path, "Transport"],
      `${Relay.Transport} has no host to hand mail to: it must be of kind ${
        hostTransports.join(", ")
      }`,
    );
  }
}

function checkNodes(s: Static, dynamic: Dynamic, report: PathReport): void {
  const known = (path: Path, name: string) => {
    if (name === "" || dynamic.Nodes.has(name)) return;
    report(path, `there is no ${JSON.stringify(name)} among Nodes`);
  };
  for (const [name, domain] of dynamic.Domains) known(["Domains", name, "Node"], domain.Node);
  for (const [name, account] of dynamic.Accounts) known(["Accounts", name, "Node"], account.Node);
  if (dynamic.Nodes.size > 0 && !dynamic.Nodes.has(s.Node)) {
    report(
      ["Nodes"],
      s.Node === ""
        ? "mox.conf doesn't say which of them this server is: set Node there"
        : `there is no ${JSON.stringify(s.Node)}, which this server is by mox.conf`,
    );
  }
  if (dynamic.Nodes.size === 0 && s.Node !== "") {
    report(["Nodes"], `is missing, while mox.conf says that this server is ${s.Node} of them`);
  }
  const places = new Map<string, string>();
  for (const [name, n] of dynamic.Nodes) {
    const s = n.Standby;
    const own = [`${n.Address} ${n.Port}`, n.Key];
    const standby = s ? [`${s.Address} ${s.Port}`, s.Key] : [];
    for (const [i, place] of [...own, ...standby].entries()) {
      const other = places.get(place);
      const path = i < own.length ? ["Nodes", name] : ["Nodes", name, "Standby"];
      if (other !== undefined) report(path, `has the place or key of ${other}`);
      places.set(place, i < own.length ? name : `the standby of ${name}`);
    }
  }
}

function checkAdministrators(
  path: Path,
  domain: Domain,
  dynamic: Dynamic,
  report: PathReport,
): void {
  domain.Administrators.forEach((name, i) => {
    if (!dynamic.Accounts.has(name)) {
      report([...path, i], `there is no account ${JSON.stringify(name)}`);
    }
  });
  checkUnique(domain.Administrators, (i, name) => report([...path, i], `${name} is there twice`));
}

/** On Windows and macOS, folders whose names differ only in case are the same. */
function checkFolders(names: string[], report: PathReport): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const folded = name.normalize("NFC").toLowerCase();
    const before = seen.get(folded);
    if (before !== undefined) {
      report(
        ["Accounts", name],
        `the name differs from ${
          JSON.stringify(before)
        } by case only: their folders could be the same`,
      );
    }
    seen.set(folded, name);
  }
}

function checkAccount(path: Path, account: Account, index: AddressIndex, report: PathReport): void {
  if (isInbox(account.RejectsMailbox)) {
    report(
      [...path, "RejectsMailbox"],
      "must not be the Inbox: messages in it are removed after some time",
    );
  }
  if (
    asciiDomain(account.Domain) !== undefined && !index.domains.has(asciiDomain(account.Domain)!)
  ) {
    report([...path, "Domain"], `${account.Domain} is not among Domains`);
  }
  account.FromIDLoginAddresses.forEach((text, i) => {
    checkFromId([...path, "FromIDLoginAddresses", i], text, account, index, report);
  });
  for (const [address, destination] of account.Destinations) {
    checkDestination([...path, "Destinations", address], destination, report);
  }
}

function checkDelegates(
  path: Path,
  own: string,
  account: Account,
  dynamic: Dynamic,
  report: PathReport,
): void {
  for (const key of ["SendAs", "SendOnBehalf"] as const) {
    account[key].forEach((name, i) => {
      if (name === own) report([...path, key, i], "an account may send as itself anyway");
      else if (!dynamic.Accounts.has(name)) {
        report([...path, key, i], `there is no account ${JSON.stringify(name)}`);
      } else if (key === "SendOnBehalf" && account.SendAs.includes(name)) {
        report([...path, key, i], `${name} is among SendAs already`);
      }
    });
    checkUnique(account[key], (i, name) => report([...path, key, i], `${name} is there twice`));
  }
}

function checkFromId(
  path: Path,
  text: string,
  account: Account,
  index: AddressIndex,
  report: PathReport,
): void {
  try {
    const { localpart, domain } = parseAddress(text);
    const entry = index.domains.get(domain.ascii);
    if (!entry) {
      report(path, `the domain of ${text} is not among Domains`);
      return;
    }
    if (entry.separators.length === 0) {
      report(path, `the domain of ${text} has no LocalpartCatchallSeparator, which this needs`);
      return;
    }
    const key = addressKey(canonicalLocalpart(localpart, entry), domain);
    const owner = index.destinations.get(key) ?? index.destinations.get(addressKey("", domain));
    if (!owner || ![...account.Destinations.values()].includes(owner.destination)) {
      report(path, `${text} is not an address of the account`);
    }
  } catch (err) {
    // Reported with the form of the value.
    if (!(err instanceof NameError)) throw err;
  }
}

function checkDestination(path: Path, destination: Destination, report: PathReport): void {
  if (destination.SMTPError !== "") {
    if (!isInbox(destination.Mailbox)) {
      report([...path, "SMTPError"], "can't go together with Mailbox, which would get nothing");
    }
    if (destination.Rulesets.length > 0) {
      report([...path, "SMTPError"], "can't go together with Rulesets, which would get nothing");
    }
  }
  destination.Rulesets.forEach((value, i) => {
    const at = (...rest: Path) => [...path, "Rulesets", i, ...rest];
    const conditions = value.SMTPMailFromRegexp + value.MsgFromRegexp + value.VerifiedDomain;
    if (conditions === "" && value.HeadersRegexp.size === 0) {
      report(
        at(),
        "a ruleset needs a condition: SMTPMailFromRegexp, MsgFromRegexp, VerifiedDomain or HeadersRegexp",
      );
    }
    if (value.IsForward && value.ListAllowDomain !== "") {
      report(at("IsForward"), "can't go together with ListAllowDomain");
    }
    if (value.IsForward && (value.SMTPMailFromRegexp === "" || value.VerifiedDomain === "")) {
      report(at("IsForward"), "needs both SMTPMailFromRegexp and VerifiedDomain");
    }
    if (isInbox(value.AcceptRejectsToMailbox)) {
      report(at("AcceptRejectsToMailbox"), "must not be the Inbox");
    }
  });
}

function checkWeb(s: Static, dynamic: Dynamic, report: PathReport): void {
  const served = [...s.Listeners.values()].some((l) =>
    l.WebserverHTTP.Enabled || l.WebserverHTTPS.Enabled
  );
  if (!served && dynamic.WebHandlers.length + dynamic.WebDomainRedirects.size > 0) {
    report(
      [dynamic.WebHandlers.length > 0 ? "WebHandlers" : "WebDomainRedirects"],
      "no listener in mox.conf has WebserverHTTP or WebserverHTTPS enabled, which would serve it",
    );
  }
  const from = new Map<string, string>();
  for (const [source, target] of dynamic.WebDomainRedirects) {
    const path = ["WebDomainRedirects", source];
    const ascii = asciiDomain(source) ?? source;
    if (ascii === asciiDomain(target)) report(path, `${source} would be redirected to itself`);
    if (from.has(ascii)) report(path, `${source} is there twice`);
    from.set(ascii, target);
  }
  dynamic.WebHandlers.forEach((h, i) => checkHandler(["WebHandlers", i], h, report));
}

function checkHandler(path: Path, handler: WebHandler, report: PathReport): void {
  const kinds =
    [handler.WebStatic, handler.WebRedirect, handler.WebForward, handler.WebInternal].filter((k) =>
      k
    ).length;
  if (kinds !== 1) {
    report(
      path,
      `a handler needs exactly one of WebStatic, WebRedirect, WebForward and WebInternal, not ${kinds}`,
    );
  }
  const r = handler.WebRedirect;
  if (!r) return;
  if ((r.OrigPathRegexp === "") !== (r.ReplacePath === "")) {
    report([...path, "WebRedirect"], "OrigPathRegexp and ReplacePath go together");
  } else if (r.BaseURL === "" && r.OrigPathRegexp === "") {
    report([...path, "WebRedirect"], "needs BaseURL, or OrigPathRegexp with ReplacePath");
  }
  if (r.StatusCode < 300) {
    report([...path, "WebRedirect", "StatusCode"], `${r.StatusCode} is no redirect: 300 to 399`);
  }
}
