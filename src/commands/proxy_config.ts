/** Configurations of proxies in front of the nodes, as text. @module */
import type { Config, Listener, Node } from "../config/mod.ts";
import { hostPort } from "../platform/net.ts";
import { ownPlace } from "../serve/nodes/own_place.ts";

/** Files of the proxy's certificate. */
export interface ProxyFiles {
  certificate: string;
  key: string;
}

/** A target of a proxy. */
interface Place {
  name: string;
  address: string;
  ports: Node["ProxyPorts"];
}

/** The listener for proxies: the first with TrustedProxies. @throws Error if there is none */
function proxied(config: Config): Listener {
  const found = [...config.static.Listeners.values()].find((l) => l.TrustedProxies.length > 0);
  if (found === undefined) {
    throw new Error(
      `${config.staticPath}: no listener has TrustedProxies, so none takes a proxy's word on its clients`,
    );
  }
  return found;
}

/** The nodes, or this server by the listener. */
function places(config: Config, listener: Listener): Place[] {
  const { Nodes } = config.dynamic;
  if (Nodes.size > 0) {
    return [...Nodes].map(([name, n]) => ({ name, address: n.Address, ports: n.ProxyPorts }));
  }
  const own = ownPlace(listener);
  return [{ name: "mox", address: own.Address, ports: own.ProxyPorts }];
}

const port = (p: number, usual: number) => p || usual;

/** For nginx with the modules mail and stream. @throws Error if nothing is set up for proxies */
export function nginxConfig(config: Config, files: ProxyFiles): string {
  const l = proxied(config);
  const nodes = places(config, l);
  if (!l.AuthHTTP.Enabled) {
    throw new Error(
      `${config.staticPath}: enable AuthHTTP in the listener with TrustedProxies, which nginx asks about logins`,
    );
  }
  const askAt = (address: string, more = "") =>
    `\t\tserver ${hostPort(address, port(l.AuthHTTP.Port, 8012))}${more};\n`;
  // A standby answers only once it has taken its node's place.
  const ask = nodes.flatMap((place) => {
    const standby = config.dynamic.Nodes.get(place.name)?.Standby;
    return [askAt(place.address), ...standby ? [askAt(standby.Address, " backup")] : []];
  });
  // nginx uses XCLIENT by default; the client has already been named by the PROXY header, and must not be named again.
  const tell = l.ProxyProtocol ? "proxy_protocol on;\n\t\txclient off;" : "xclient on;";
  const header = l.ProxyProtocol ? "\t\tproxy_protocol on;\n" : "";
  const mail = (listen: number, protocol: string, how: string, rest: string) =>
    `	server {
		listen ${listen}${how};
		listen [::]:${listen}${how};
		protocol ${protocol};
${rest}	}
`;
  const webAt = (place: Place) => hostPort(place.address, port(place.ports.Web, 80));
  const webs = nodes.map((place, i) => `\t\tserver ${webAt(place)}${i > 0 ? " backup" : ""};\n`);
  const webHosts = nodes.map((place) => {
    const host = URL.parse(config.dynamic.Nodes.get(place.name)?.WebURL ?? "")?.host;
    return host === undefined ? "" : `\t\t${host} ${webAt(place)};\n`;
  });
  const smtpAuth = "\t\tsmtp_auth plain login;\n\t\tproxy_smtp_auth on;\n";
  return `# nginx in front of ${
    nodes.map((n) => n.name).join(", ")
  }, by mox config printproxy nginx.
# The whole of /etc/nginx/nginx.conf; in one that does more, "mail" stands beside "http", and what is in "http" below goes
# into the one that is there. Modules: mail (Debian's libnginx-mod-mail), and http for the web. The nodes' ports for it need
# NoRequireSTARTTLS, on a network that nobody else reads, as nginx speaks no TLS with them.
include /etc/nginx/modules-enabled/*.conf;
events {
	worker_connections 4096;
}
mail {
	server_name ${config.static.Hostname};
	auth_http 127.0.0.1:8013/;
	proxy_pass_error_message on;
	ssl_certificate ${files.certificate};
	ssl_certificate_key ${files.key};
	imap_capabilities IMAP4rev1 LITERAL+ SASL-IR ID ENABLE;
	imap_auth plain login;
	pop3_auth plain;
	smtp_capabilities "SIZE ${l.SMTPMaxMessageSize}" 8BITMIME ENHANCEDSTATUSCODES;
${mail(993, "imap", " ssl", header)}${mail(143, "imap", "", `\t\tstarttls only;\n${header}`)}${
    mail(995, "pop3", " ssl", header)
  }${mail(465, "smtp", " ssl", `${smtpAuth}\t\t${tell}\n`)}${
    mail(587, "smtp", "", `\t\tstarttls only;\n${smtpAuth}\t\t${tell}\n`)
  }${mail(25, "smtp", "", `\t\tstarttls on;\n\t\tsmtp_auth none;\n\t\t${tell}\n`)}}
http {
	upstream mox_auth {
${ask.join("")}	}
	# The nodes stand in for each other here: each knows where all accounts are.
	server {
		listen 127.0.0.1:8013;
		location / {
			proxy_pass http://mox_auth;
			proxy_pass_request_body off;
			proxy_next_upstream error timeout;
		}
	}
	# Any node takes requests for all accounts; the first one gets them as long as it is there.
	upstream mox_web {
${webs.join("")}	}
	map $host $mox_web {
${webHosts.join("")}		default mox_web;
	}
	server {
		listen 443 ssl;
		listen [::]:443 ssl;
		ssl_certificate ${files.certificate};
		ssl_certificate_key ${files.key};
		location / {
			proxy_pass http://$mox_web;
			proxy_http_version 1.1;
			proxy_set_header Host $host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_set_header X-Forwarded-Host $http_host;
			proxy_set_header Forwarded "";
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $http_connection;
			proxy_buffering off;
			proxy_request_buffering off;
			client_max_body_size 0;
		}
	}
}
`;
}

/** For HAProxy. @throws Error if nothing is set up for proxies */
export function haproxyConfig(config: Config, files: ProxyFiles): string {
  const l = proxied(config);
  if (!l.ProxyProtocol) {
    throw new Error(
      `${config.staticPath}: set ProxyProtocol in the listener with TrustedProxies, by which HAProxy names its clients`,
    );
  }
  const nodes = places(config, l);
  const servers = (p: (place: Place) => number, send: string) =>
    nodes.map((n) =>
      `\tserver ${n.name} ${hostPort(n.address, p(n))} ${send} check check-send-proxy\n`
    ).join("");
  const tls = ` ssl crt ${files.certificate}`;
  const listen = (name: string, at: number, how: string, to: keyof Place["ports"], send: string) =>
    `listen ${name}
	bind :::${at} v4v6${how}
	balance source
${servers((n) => n.ports[to], send)}`;
  return `# HAProxy in front of ${
    nodes.map((n) => n.name).join(", ")
  }, by mox config printproxy haproxy.
defaults
	mode tcp
	timeout connect 5s
	timeout client 32m
	timeout server 32m
${listen("smtp", 25, "", "SMTP", "send-proxy-v2")}${
    listen("submission", 587, "", "Submission", "send-proxy-v2")
  }${listen("submissions", 465, tls, "Submission", "send-proxy-v2-ssl")}${
    listen("imap", 143, "", "IMAP", "send-proxy-v2")
  }${listen("imaps", 993, tls, "IMAP", "send-proxy-v2-ssl")}frontend web
	mode http
	bind :::443 v4v6${tls}
	option forwardfor
	http-request del-header Forwarded
	http-request set-header X-Forwarded-Proto https
	default_backend web
backend web
	mode http
	balance source
${nodes.map((n) => `\tserver ${n.name} ${hostPort(n.address, n.ports.Web)} check\n`).join("")}`;
}
