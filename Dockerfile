# The observatory for a cluster: the binary alone, run by an ordinary user. DATABASE_URL names the PostgreSQL to use.
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
# Clients reach a container through its network, so the daemon listens on every address. The daemon does not authenticate
# them: let the network decide which clients may connect.
ENV OBSERVATORY_INGEST_LISTEN=0.0.0.0:4317 \
    OBSERVATORY_QUERY_LISTEN=0.0.0.0:4320 \
    OBSERVATORY_ADMIN_LISTEN=0.0.0.0:9464 \
    OBSERVATORY_ALLOW_UNAUTHENTICATED=true
ENTRYPOINT ["observatory"]
CMD ["serve"]
