# The service as it is deployed: one binary, which also migrates, works off expiries and checks its own health.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --bin huanxin \
    && install -D target/release/huanxin /out/huanxin

FROM debian:bookworm-slim
# Certificates, for the addresses that events are sent to.
RUN apt-get update -q \
    && apt-get install -y -q --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin huanxin
COPY --from=build /out/huanxin /usr/local/bin/huanxin
USER 10001:10001
EXPOSE 8080
ENV HUANXIN_LISTEN=0.0.0.0:8080
ENTRYPOINT ["huanxin"]
CMD ["serve"]
