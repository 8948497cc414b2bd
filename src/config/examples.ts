/** Examples for parts of the configuration files, for `mox config example`. @module */

/** An example with its name. */
export interface ConfigExample {
  name: string;
  summary: string;
  /** The file that the text belongs to. */
  file: "mox.conf" | "domains.conf";
  text: string;
}

export const configExamples: readonly ConfigExample[] = [
  {
    name: "transport",
    summary: "Deliver through the submission service of another server",
    file: "mox.conf",
    text: `# A way to deliver, for mox.conf. It takes effect after a restart, once a route names it.
Transports:
	relay:
		Submissions:
			Host: smtp.example.com
			Auth:
				Username: you@example.com
				Password: secret
				Mechanisms:
					# The strongest one that the server has.
					- SCRAM-SHA-256
`,
  },
  {
    name: "lmtp",
    summary: "Hand mail to Mailman, Dovecot or Cyrus by LMTP",
    file: "mox.conf",
    text: `# A program that takes mail by LMTP, for mox.conf. It takes effect after a restart.
Transports:
	mailman:
		LMTP:
			Host: 127.0.0.1
			Port: 8024
# A domain in domains.conf names it: what no account, alias or list of the domain has goes there.
# Domains:
#	lists.example.org:
#		Relay:
#			Transport: mailman
`,
  },
  {
    name: "scanners",
    summary: "Have rspamd, ClamAV and opendkim look at mail",
    file: "mox.conf",
    text: `# Other programs that look at mail, for mox.conf. They take effect after a restart.
Scanners:
	rspamd:
		Rspamd:
			URL: http://localhost:11333
			# It learns from what users mark.
			ControllerURL: http://localhost:11334
			PasswordFile: rspamd-password
	clamav:
		ClamAV:
			Address: unix:/run/clamav/clamd.ctl
		# Without it, mail goes on.
		WhenAway: accept
	opendkim:
		Milter:
			Address: localhost:8891
# In the block SMTP of a listener, for mail from other servers:
#			Scanners:
#				- rspamd
#				- clamav
# All that users send:
OutgoingScanners:
	- clamav
`,
  },
  {
    name: "routes",
    summary: "Choose a transport by sender, recipient or after failures",
    file: "domains.conf",
    text:
      `# Of the global routes in domains.conf the first that fits counts. Domains and accounts can
# have routes of their own, which come before these.
Routes:
	-
		ToDomain:
			# The subdomains of example.net.
			- .example.net
		Transport: relay
	-
		# All messages, once direct delivery has failed three times.
		MinimumAttempts: 3
		Transport: relay
`,
  },
  {
    name: "webhandlers",
    summary: "Static files, redirects and a reverse proxy",
    file: "domains.conf",
    text: `# Web sites, for domains.conf. A listener in mox.conf needs WebserverHTTPS (and
# WebserverHTTP).

# All of example.org goes to www.example.org.
WebDomainRedirects:
	example.org: www.example.org

WebHandlers:
	-
		# An application on another port, without the /app it is found under.
		LogName: app
		Domain: www.example.org
		PathRegexp: ^/app/
		WebForward:
			StripPath: true
			URL: http://127.0.0.1:8900/
			ResponseHeaders:
				X-Content-Type-Options: nosniff
	-
		# Pages that have moved.
		LogName: moved
		Domain: www.example.org
		PathRegexp: ^/old/
		WebRedirect:
			OrigPathRegexp: ^/old/(.*)
			ReplacePath: /new/$1
			StatusCode: 307
	-
		# All else is files.
		LogName: site
		Domain: www.example.org
		PathRegexp: ^/
		Compress: true
		WebStatic:
			Root: web/www
			ListFiles: true
			ResponseHeaders:
				Cache-Control: max-age=3600
`,
  },
];
