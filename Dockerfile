# syntax=docker/dockerfile:1
# Four stages: what compiles is not what runs. test/docker.spec.ts carries these steps out without an engine.
# Pin the digest where you build: docker buildx imagetools inspect node:24-bookworm-slim
ARG NODE_IMAGE=node:24-bookworm-slim

# The lock file first: as long as it does not change, neither does this layer.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund

FROM dependencies AS build
COPY nest-cli.json tsconfig.json ./
COPY apps apps
COPY libs libs
RUN npm run --silent build

FROM ${NODE_IMAGE} AS production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Pogo Gateway" \
      org.opencontainers.image.description="Pusher- and Reverb-compatible WebSocket server" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=production /app/node_modules node_modules
COPY --from=build /app/dist dist
# Another user than the one who runs it made the checkout, perhaps with files that nobody else may read.
COPY --chmod=644 package.json LICENSE ./
COPY --chmod=644 deploy/docker/healthcheck.mjs healthcheck.mjs
# Nothing is written: run it with a read-only root file system.
# The image's user `node` by its number: of a name the kubelet cannot tell that it is not root (runAsNonRoot).
USER 1000:1000
# WebSockets and the HTTP API; metrics, which listen on loopback unless POGO_WS_METRICS_HOST says otherwise.
EXPOSE 8080 2019
# No shell and no init in between: SIGTERM reaches the server, which drains and exits 0.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["node", "healthcheck.mjs"]
CMD ["node", "dist/apps/gateway/src/main.js"]
