# The observatory for a cluster: the binary alone, as an ordinary user; DATABASE_URL says where PostgreSQL is.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p llm-observatory-server

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home observatory
COPY --from=build /src/target/release/observatory /usr/local/bin/observatory
USER 10001
EXPOSE 4317 4320 9464
# A container is reached through its network, so it listens on every address; who may reach it is the network's business.
ENV OBSERVATORY_INGEST_LISTEN=0.0.0.0:4317 \
    OBSERVATORY_QUERY_LISTEN=0.0.0.0:4320 \
    OBSERVATORY_ADMIN_LISTEN=0.0.0.0:9464 \
    OBSERVATORY_ALLOW_UNAUTHENTICATED=true
ENTRYPOINT ["observatory"]
CMD ["serve"]
