/**
 * Functions of the original's admin API, under its names: `{"params": […]}` in, `{"result": …}` or
 * `{"error": {"code", "message"}}` out, as its clients send and read them. Each is built from our own calls, with
 * their permissions. Functions whose results mean something else here are left out.
 *
 * @module
 */
import * as v from "valibot";
import type { adminCalls } from "../../../webmail/admin/api/mod.ts";
import type { Config } from "../../config/mod.ts";
import { HttpError, UserError } from "../http/mod.ts";
import type { AdminCallName } from "./rules.ts";

type Request<N extends AdminCallName> = v.InferInput<(typeof adminCalls)[N]["request"]>;
type Answer<N extends AdminCallName> = v.InferOutput<(typeof adminCalls)[N]["response"]>;

/** Runs one of our own calls for the same caller. @throws HttpError */
export type MakeCall = <N extends AdminCallName>(
  name: N,
  request: Request<N>,
) => Promise<Answer<N>>;

interface Given {
  call: MakeCall;
  config: Config;
}
type OriginalCall = (params: readonly unknown[], given: Given) => Promise<unknown>;

/** A function with the schemas of its parameters. */
function fn<const P extends readonly v.GenericSchema[]>(
  params: P,
  run: (given: Given, ...p: { [I in keyof P]: v.InferOutput<P[I]> }) => Promise<unknown>,
): OriginalCall {
  return async (given, g) => {
    if (given.length !== params.length) {
      throw new HttpError(400, `${params.length} parameters are expected, not ${given.length}`);
    }
    const checked = params.map((schema, i) => {
      const r = v.safeParse(schema, given[i]);
      if (r.success) return r.output;
      throw new HttpError(400, `parameter ${i + 1}: ${r.issues[0].message}`);
    });
    return await run(g, ...checked as { [I in keyof P]: v.InferOutput<P[I]> });
  };
}

const text = v.string();
const flag = v.boolean();
const whole = v.pipe(v.number(), v.safeInteger());
const texts = v.pipe(v.nullable(v.array(text)), v.transform((l) => l ?? []));
const alias = v.object({
  Addresses: texts,
  PostPublic: v.optional(flag, false),
  ListMembers: v.optional(flag, false),
  AllowMsgFrom: v.optional(flag, false),
});
const route = v.object({
  FromDomain: v.optional(texts, []),
  ToDomain: v.optional(texts, []),
  MinimumAttempts: v.optional(whole, 0),
  Transport: text,
});
const routes = v.pipe(v.nullable(v.array(route)), v.transform((l) => l ?? []));
const queueFilter = v.object({
  Max: v.optional(whole, 0),
  IDs: v.optional(v.nullable(v.array(whole))),
  Account: v.optional(text, ""),
  From: v.optional(text, ""),
  To: v.optional(text, ""),
  Hold: v.optional(v.nullable(flag)),
  Transport: v.optional(v.nullable(text)),
});

/** Nanoseconds in a millisecond: its durations are in nanoseconds. */
const nanos = 1_000_000;
const durations = new Set(["MaxAge", "KeepRetiredMessagePeriod", "KeepRetiredWebhookPeriod"]);

/** Values of the configuration as JSON, without secrets. */
function plain(value: unknown, name = ""): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([k, x]) => [k, plain(x)]));
  }
  if (Array.isArray(value)) return value.map((x) => plain(x));
  if (name === "Authorization") return "";
  if (typeof value === "number" && durations.has(name)) return value * nanos;
  if (value === undefined) return null;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, x]) => [k, plain(x, k)]));
}

const routesOf = (list: readonly v.InferOutput<typeof route>[]) =>
  list.map((r) => ({
    fromDomain: r.FromDomain,
    toDomain: r.ToDomain,
    minimumAttempts: r.MinimumAttempts,
    transport: r.Transport,
  }));

const filterOf = (output: v.InferOutput<typeof queueFilter>) => ({
  ...(output.IDs && output.IDs.length > 0 ? { ids: output.IDs } : {}),
  ...(output.Account !== "" ? { account: output.Account } : {}),
  ...(output.From !== "" ? { from: output.From } : {}),
  ...(output.To !== "" ? { to: output.To } : {}),
  ...(typeof output.Hold === "boolean" ? { hold: output.Hold } : {}),
  ...(typeof output.Transport === "string" ? { transport: output.Transport } : {}),
});

const nothing = async (done: Promise<unknown>) => void await done;

/** A domain's names in both forms. */
function names(config: Config, domain: string): { ASCII: string; Unicode: string } {
  const { ascii, unicode } = config.domain(domain)!.name;
  return { ASCII: ascii, Unicode: ascii === unicode ? "" : unicode };
}

function domainConfig(config: Config, name: string): unknown {
  const d = config.domain(name)!.config;
  return { ...plain(d) as object, Domain: names(config, name) };
}

/** A domain's settings, in order to change one of them. */
async function domainSettings({ call }: Given, name: string) {
  const { description, clientSettingsDomain, separators, caseSensitive } = await call("Domain", {
    name,
  });
  return { name, description, clientSettingsDomain, separators, caseSensitive };
}

async function aliasNow({ call }: Given, localpart: string, domain: string) {
  const { aliases } = await call("Domain", { name: domain });
  const found = aliases.find((a) => a.localpart === localpart);
  if (found === undefined) throw new HttpError(404, `no alias ${localpart}@${domain}`);
  return found;
}

const reportsSet = (kind: "DMARC" | "TLSRPT") =>
  fn(
    [text, text, text, text, text],
    ({ call }, name, localpart, domain, account, mailbox) =>
      nothing(
        call("DomainReportsSet", {
          name,
          kind,
          to: localpart === "" ? null : { localpart, domain, account, mailbox },
        }),
      ),
  );

const queueAct = (action: Request<"QueueAct">["action"]) =>
  fn(
    [queueFilter],
    async ({ call }, f) => (await call("QueueAct", { filter: filterOf(f), action })).count,
  );

/** By name. */
export const originalCalls: Readonly<Record<string, OriginalCall>> = {
  Domains: fn([], async ({ call, config }) => {
    const { domains } = await call("Domains", {});
    return domains.map((d) => domainConfig(config, d.name));
  }),
  Domain: fn([text], async ({ call, config }, name) => {
    await call("Domain", { name });
    return names(config, name);
  }),
  DomainConfig: fn([text], async ({ call, config }, name) => {
    await call("Domain", { name });
    return domainConfig(config, name);
  }),
  DomainLocalparts: fn([text], async ({ call, config }, name) => {
    const { addresses } = await call("Domain", { name });
    const localpart = (address: string) => address.slice(0, address.lastIndexOf("@"));
    return [
      Object.fromEntries(addresses.map((a) => [localpart(a.address), a.account])),
      plain(config.domain(name)!.config.Aliases),
    ];
  }),
  DomainRecords: fn(
    [text],
    async ({ call }, name) =>
      (await call("Domain", { name })).zone.split("\n").filter((l) => l !== ""),
  ),
  DomainAdd: fn([flag, text, text, text], async ({ call, config }, disabled, name, account, lp) => {
    const there = config.account(account) !== undefined;
    // Reports go to an account with an address at the domain; to the postmaster's until there is one.
    const first = there || lp === "" ? account : config.static.Postmaster.Account;
    await call("DomainAdd", { name, account: first, disabled });
    if (lp === "") return;
    const address = `${lp}@${name}`;
    if (there) await call("AddressAdd", { address, account });
    else await call("AccountAdd", { name: account, address });
  }),
  DomainRemove: fn([text], ({ call }, name) => nothing(call("DomainRemove", { name }))),
  DomainDisabledSave: fn(
    [text, flag],
    ({ call }, name, disabled) => nothing(call("DomainDisable", { name, disabled })),
  ),
  DomainDescriptionSave: fn([text, text], async (g, name, description) => {
    await g.call("DomainSet", { ...await domainSettings(g, name), description });
  }),
  DomainClientSettingsDomainSave: fn([text, text], async (g, name, clientSettingsDomain) => {
    await g.call("DomainSet", { ...await domainSettings(g, name), clientSettingsDomain });
  }),
  DomainLocalpartConfigSave: fn([text, texts, flag], async (g, name, separators, caseSensitive) => {
    await g.call("DomainSet", { ...await domainSettings(g, name), separators, caseSensitive });
  }),
  DomainDMARCAddressSave: reportsSet("DMARC"),
  DomainTLSRPTAddressSave: reportsSet("TLSRPT"),
  DomainMTASTSSave: fn(
    [text, text, text, whole, texts],
    async ({ call }, name, policyId, mode, maxAge, mx) => {
      if (policyId === "") return await nothing(call("DomainMtaStsSet", { name, policy: null }));
      if (mode !== "none" && mode !== "testing" && mode !== "enforce") {
        throw new UserError(`no mode ${mode}: those are none, testing and enforce`);
      }
      const policy = { policyId, mode, maxAge: Math.floor(maxAge / nanos), mx } as const;
      await call("DomainMtaStsSet", { name, policy });
    },
  ),
  DomainRoutesSave: fn(
    [text, routes],
    ({ call }, name, list) => nothing(call("DomainRoutesSet", { name, routes: routesOf(list) })),
  ),
  AccountRoutesSave: fn(
    [text, routes],
    ({ call }, name, list) => nothing(call("AccountRoutesSet", { name, routes: routesOf(list) })),
  ),
  RoutesSave: fn(
    [routes],
    ({ call }, list) => nothing(call("RoutesSet", { routes: routesOf(list) })),
  ),

  Accounts: fn([], async ({ call }) => {
    const { accounts } = await call("Accounts", {});
    const sorted = accounts.toSorted((a, b) => a.name < b.name ? -1 : 1);
    const off = sorted.filter((a) => a.loginDisabled !== "");
    return [sorted.map((a) => a.name), off.map((a) => a.name)];
  }),
  Account: fn([text], async ({ call, config }, name) => {
    const { usage } = await call("Account", { name });
    return [plain(config.account(name)), usage ?? 0];
  }),
  AccountAdd: fn(
    [text, text],
    ({ call }, name, address) => nothing(call("AccountAdd", { name, address })),
  ),
  AccountRemove: fn([text], ({ call }, name) => nothing(call("AccountRemove", { name }))),
  AccountLoginDisabledSave: fn(
    [text, text],
    ({ call }, name, reason) => nothing(call("AccountDisable", { name, text: reason })),
  ),
  AccountSettingsSave: fn(
    [text, whole, whole, whole, flag, flag],
    async ({ call }, name, maxOutgoing, maxFirstTime, quota, delay, noCustomPassword) => {
      const { fullName } = await call("Account", { name });
      await call("AccountSet", {
        name,
        fullName,
        // 0 means the default there.
        maxOutgoing: maxOutgoing || 1000,
        maxFirstTime: maxFirstTime || 200,
        quota: quota < 0 ? null : quota,
        noFirstTimeSenderDelay: !delay,
        noCustomPassword,
      });
    },
  ),
  SetPassword: fn(
    [text, text],
    ({ call }, name, password) => nothing(call("AccountPassword", { name, password })),
  ),
  AddressAdd: fn(
    [text, text],
    ({ call }, address, account) => nothing(call("AddressAdd", { address, account })),
  ),
  AddressRemove: fn([text], ({ call }, address) => nothing(call("AddressRemove", { address }))),

  AliasAdd: fn([text, text, alias], ({ call }, localpart, domain, a) =>
    nothing(
      call("AliasAdd", {
        address: `${localpart}@${domain}`,
        members: a.Addresses,
        postPublic: a.PostPublic,
        listMembers: a.ListMembers,
        allowMsgFrom: a.AllowMsgFrom,
      }),
    )),
  AliasUpdate: fn(
    [text, text, flag, flag, flag],
    async (given, localpart, domain, postPublic, listMembers, allowMsgFrom) => {
      const { members } = await aliasNow(given, localpart, domain);
      const address = `${localpart}@${domain}`;
      await given.call("AliasSet", { address, members, postPublic, listMembers, allowMsgFrom });
    },
  ),
  AliasRemove: fn(
    [text, text],
    ({ call }, localpart, domain) =>
      nothing(call("AliasRemove", { address: `${localpart}@${domain}` })),
  ),
  AliasAddressesAdd: fn(
    [text, text, texts],
    ({ call }, localpart, domain, members) =>
      nothing(call("AliasMembersAdd", { address: `${localpart}@${domain}`, members })),
  ),
  AliasAddressesRemove: fn(
    [text, text, texts],
    ({ call }, localpart, domain, members) =>
      nothing(call("AliasMembersRemove", { address: `${localpart}@${domain}`, members })),
  ),

  QueueSize: fn([], async ({ call }) => (await call("Overview", {})).queue),
  HookQueueSize: fn([], async ({ call }) => (await call("Hooks", {})).total),
  QueueHoldSet: fn([queueFilter, flag], async ({ call }, f, hold) => {
    const action = { do: hold ? "hold" : "release" } as const;
    return (await call("QueueAct", { filter: filterOf(f), action })).count;
  }),
  QueueFail: queueAct({ do: "fail" }),
  QueueDrop: queueAct({ do: "drop" }),
  QueueNextAttemptSet: fn([queueFilter, whole], async ({ call }, f, minutes) => {
    const action = { do: "schedule", time: Date.now() + minutes * 60_000 } as const;
    return (await call("QueueAct", { filter: filterOf(f), action })).count;
  }),
  QueueTransportSet: fn([queueFilter, text], async ({ call }, f, transport) => {
    const action = { do: "transport", transport } as const;
    return (await call("QueueAct", { filter: filterOf(f), action })).count;
  }),
  QueueRequireTLSSet: fn([queueFilter, v.nullable(flag)], async ({ call }, f, value) => {
    const wanted = value === null ? "" as const : value ? "yes" as const : "no" as const;
    const action = { do: "requiretls", value: wanted } as const;
    return (await call("QueueAct", { filter: filterOf(f), action })).count;
  }),
  Transports: fn([], async ({ call, config }) => {
    await call("Queue", { filter: {}, sort: "next", descending: false, limit: 1 });
    return Object.fromEntries([...config.static.Transports.keys()].map((name) => [name, {}]));
  }),

  ConfigFiles: fn([], async ({ call }) => {
    const { static: s, dynamic: d } = await call("ConfigFiles", {});
    return [s.path, d.path, s.text, d.text];
  }),
  MonitorDNSBLsSave: fn([texts], ({ call }, zones) => nothing(call("BlockListsSet", { zones }))),
  LogLevels: fn([], async ({ call }) => {
    const { levels } = await call("LogLevels", {});
    return Object.fromEntries(levels.map((l) => [l.pkg, l.level]));
  }),
  LogLevelSet: fn(
    [text, text],
    ({ call }, pkg, level) => nothing(call("LogLevelSet", { pkg, level })),
  ),
  LogLevelRemove: fn(
    [text],
    ({ call }, pkg) => nothing(call("LogLevelSet", { pkg, level: "default" })),
  ),
};

/** The error of a failed call, as the original's clients read it. */
export function originalError(err: HttpError, name: string): { code: string; message: string } {
  if (err.status === 401) {
    return { code: name === "Login" ? "user:loginFailed" : "user:noAuth", message: err.message };
  }
  if (err.status === 400) return { code: "sherpa:badParams", message: err.message };
  if (err.status >= 500) return { code: "server:error", message: err.message };
  // Clients look for these words, to treat what was removed before as done.
  const gone = /^(?:there is )?no (?:account|domain|alias)\b/.test(err.message) ||
    err.status === 404;
  return { code: "user:error", message: gone ? `${err.message} (does not exist)` : err.message };
}
