# syntax=docker/dockerfile:1
# hadolint global ignore=DL3008
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential clang \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package blockwright

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/blockwright --create-home blockwright
COPY --from=build /src/target/release/blockwright /usr/local/bin/blockwright
USER 10001
WORKDIR /var/lib/blockwright
VOLUME ["/var/lib/blockwright"]
EXPOSE 8545 8546 8551 1111 9001
ENTRYPOINT ["blockwright"]
CMD ["--help"]
