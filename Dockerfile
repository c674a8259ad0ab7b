# The provider as an image: compiled in the first stage, with the production packages alone in the second.

# Another base where the usual one cannot be had: any image with Node 24, npm, a shell and a user "node".
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No package needs its install script here. One of them would fetch a second Node, for machines with an older one.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="didit-oidc" \
      org.opencontainers.image.licenses="Apache-2.0"
# Inside a container the loopback reaches nobody; which port is published is decided outside.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev && npm cache clean --force
COPY --from=build /build/dist dist
COPY views views
COPY config config
COPY LICENSE ./
# The image's own user without rights. The program writes nothing but a SQLite file, where STORE_URL names one.
USER node
EXPOSE 3000
# Alive, not ready: an outage of the store must not restart the processes that wait for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "dist/main.js", "health"]
# It handles SIGTERM itself and so may be the container's first process.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
