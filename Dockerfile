# syntax=docker/dockerfile:1
# Hearth: control plane and gateway. What the container must be allowed is in docker-compose.yml.

FROM node:24-bookworm-slim AS build
WORKDIR /opt/hearth
# For SQLite's addon, where no prebuilt one fits.
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
COPY . .
RUN npm ci --no-audit --no-fund --include-workspace-root --workspace=apps/control-plane --workspace=apps/gateway
RUN npm run build:server
RUN npm prune --omit=dev --no-audit --no-fund --include-workspace-root --workspace=apps/control-plane --workspace=apps/gateway

FROM node:24-bookworm-slim
# Languages beside Node.js; "" for none, "python3 ruby default-jre-headless mono-runtime" for all.
ARG LANGUAGES="python3 ruby"
RUN apt-get update \
 && apt-get install -y --no-install-recommends bubblewrap ca-certificates e2fsprogs iproute2 nftables perl-base util-linux $LANGUAGES \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/hearth
COPY --from=build /opt/hearth/package.json ./
COPY --from=build /opt/hearth/node_modules node_modules
COPY --from=build /opt/hearth/apps apps
COPY --from=build /opt/hearth/packages packages
COPY --from=build /opt/hearth/migrations migrations
COPY --from=build /opt/hearth/scripts scripts
RUN install -d -o node -g node -m 0700 /var/lib/hearth && install -d -o node -g node -m 0700 /run/hearth

ENV NODE_ENV=production HEARTH_HOST=0.0.0.0 HEARTH_DATA_DIR=/var/lib/hearth HEARTH_RUN_DIR=/run/hearth
VOLUME /var/lib/hearth
EXPOSE 8080
# Without the rights of root; docker-compose.yml says what more takes.
USER node
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "scripts/serve.mjs"]
