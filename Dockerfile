# The mail server on Debian. Build:
#   docker build -t mox .
# Set up and run (state in the folder mox; addresses and ports are the host's own, so that the server sees
# who connects, and sends from the right addresses):
#   docker run --rm --network host -v ./mox:/mox mox mox quickstart -hostname mail.example.org you@example.org
#   docker run -d --name mox --restart unless-stopped --network host -v ./mox:/mox mox
FROM denoland/deno:debian-2.9.6 AS build
ARG TARGETARCH=amd64
WORKDIR /src
COPY . .
# The executable; where the compiler's runtime for it can't be had, the portable archive in its place.
RUN case "$TARGETARCH" in amd64) target=linux-x64 ;; arm64) target=linux-arm64 ;; *) exit 1 ;; esac \
 && mkdir -p /out \
 && if deno task build --executables "$target"; then \
      install -m 755 dist/mox-*-"$target" /out/mox; \
    else \
      deno task build --portable "$target" \
      && tar xzf dist/mox-*-"$target"-portable.tar.gz --strip-components=1 -C /out; \
    fi

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --no-create-home --shell /usr/sbin/nologin mox
COPY --from=build /out/ /opt/mox/
RUN ln -s /opt/mox/mox /usr/local/bin/mox
WORKDIR /mox
VOLUME /mox
EXPOSE 25 80 443 465 993
# Started as root, it takes its ports, gives /mox/config and /mox/data to the user mox, and becomes that
# user for good. Of the capabilities it needs CHOWN, FOWNER, DAC_OVERRIDE, SETUID, SETGID and
# NET_BIND_SERVICE; all others can be dropped.
# The loop looks at the sockets more often than the runtime does by itself (src/commands/runtime_flags.ts).
ENV DENO_TOKIO_EVENT_INTERVAL=4
STOPSIGNAL SIGTERM
# Unhealthy where no server answers: what it says otherwise is for people, and no reason to restart it.
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD mox status -quiet; [ $? -ne 3 ]
CMD ["mox", "serve"]
