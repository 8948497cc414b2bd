/** A systemd unit that starts the server as an ordinary user who may listen on low ports. @module */

/** Parameters of the unit. Paths are absolute. */
export interface UnitOptions {
  /** Folder with config/ and data/. */
  dir: string;
  /** The program with its arguments before "serve". */
  program: readonly string[];
  /** Its environment variables. */
  environment: Readonly<Record<string, string>>;
  user: string;
  /** A template unit, whose instances are the nodes of one machine. */
  nodes?: boolean;
  /** Folders that the server writes to. */
  writable: readonly string[];
  /** Further folders that it reads, such as that of the program. */
  readable?: readonly string[];
}

/** Escapes a word of a command line or a path (systemd.syntax(7), systemd.service(5)): `%` and `$` are special. */
function word(text: string): string {
  const escaped = text.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_.,:/=@%+-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replace(/["\\]/g, "\\$&")}"`;
}

/** The text of the unit. */
export function systemdUnit(options: UnitOptions): string {
  const readable = [...new Set([options.dir, ...options.readable ?? []])];
  const home = [...readable, ...options.writable].some((p) =>
    /^\/(?:root|home|run\/user)(?:\/|$)/.test(p)
  );
  const path = (p: string) => p.replaceAll("%", "%%").replaceAll(" ", "\\x20");
  return `[Unit]
Description=mox mail server
Wants=network-online.target
After=network-online.target

[Service]
WorkingDirectory=${path(options.dir)}
${
    Object.entries(options.environment).map(([name, value]) => `Environment=${name}=${value}\n`)
      .join("")
  }ExecStart=${options.program.map(word).join(" ")}${options.nodes ? " -node %i" : ""} serve
User=${options.user}
UMask=0077
Restart=always
RestartSec=5s
# Connections are told, and get some seconds to finish.
KillMode=mixed
TimeoutStopSec=30s
LimitNOFILE=65535

# Low ports as an ordinary user, and nothing else.
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

# Of the file system only its own folders can be written.
ProtectSystem=strict
${
    home
      ? `ProtectHome=tmpfs
BindReadOnlyPaths=${readable.map(path).join(" ")}
BindPaths=${options.writable.map(path).join(" ")}`
      : `ProtectHome=yes
ReadWritePaths=${options.writable.map(path).join(" ")}`
  }
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RemoveIPC=yes

# MemoryDenyWriteExecute is not among these: the program is compiled while it runs.
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}
