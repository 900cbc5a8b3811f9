# The worker, the command and the codec server, on the CPU. Build from the root of the repository:
#   docker build -f infra/docker/cpu.Dockerfile -t hourglass:0.1.0 .
# Debian, not Alpine: Temporal's core and DuckDB are built against glibc.
FROM node:20.20.2-bookworm AS build
WORKDIR /src
COPY . .
RUN npm ci --ignore-scripts && npm run build && npx tsx scripts/pack.ts /packs

# Installed from what would be published, so that an image holds nothing that a release does not.
FROM node:20.20.2-bookworm-slim AS install
WORKDIR /app
COPY --from=build /packs /packs
RUN npm init --yes > /dev/null && npm install --ignore-scripts --omit=dev /packs/*.tgz
# The workflow's code is bundled now: a worker starts at once, and on a file system that is read-only.
ENV XDG_CACHE_HOME=/app/cache
RUN node --input-type=module -e "const { workflowBundle } = await import('@hourglass/activities'); for (const encrypted of [false, true]) console.log(await workflowBundle({ encrypted }))"

FROM node:20.20.2-bookworm-slim
# The first process passes signals on: SIGTERM has to reach the worker, which saves checkpoints then.
RUN apt-get update && apt-get install -y --no-install-recommends tini ca-certificates && rm -rf /var/lib/apt/lists/* \
  && mkdir /data /work && chown node:node /data /work
COPY --from=install /app /app
ENV PATH=/app/node_modules/.bin:$PATH NODE_ENV=production XDG_CACHE_HOME=/app/cache HOURGLASS_HOME=/data
WORKDIR /work
USER node
EXPOSE 8080 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "hourglass"]
CMD ["worker", "--health", "0.0.0.0:8080", "--metrics", "0.0.0.0:9464"]
