# The image of Tidegate: one binary, ONNX Runtime's library, the shipped rules and the classifier.
#
#   docker build --tag tidegate:0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
#
# Needs BuildKit, for its cache mounts. Both stages have the same Debian, so that the binary finds
# the C library and the OpenSSL that it was linked with.

FROM rust:1.95.0-slim-bookworm AS build

# What `scripts/setup.sh build` asks for, and pip, which fetches ONNX Runtime's wheel. The image's date
# pins the release; packages within it are taken as they are, with Debian's fixes.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        build-essential pkg-config libssl-dev zlib1g-dev python3 python3-pip ca-certificates \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /build
ENV TIDEGATE_CACHE=/var/cache/tidegate

# The library changes least, so it comes first. The script pins its version and its checksum.
COPY scripts scripts
RUN scripts/setup.sh onnxruntime \
    && mkdir -p /out/lib /out/doc/onnxruntime \
    && cp --dereference .tidegate/lib/libonnxruntime.so /out/lib/ \
    && cp "$TIDEGATE_CACHE"/onnxruntime-*/LICENSE "$TIDEGATE_CACHE"/onnxruntime-*/ThirdPartyNotices.txt \
        /out/doc/onnxruntime/

COPY Cargo.toml Cargo.lock ./
COPY docs docs
COPY src src
# Crates and their objects stay in the cache. Our own sources are touched, because a cache may be
# younger than a file of another checkout, and cargo goes by the time.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target,sharing=locked \
    touch src/lib.rs src/main.rs \
    && cargo build --release --locked --bin tidegate \
    && mkdir -p /out/bin \
    && cp target/release/tidegate /out/bin/ \
    && strip --strip-debug /out/bin/tidegate

# ----------------------------------------------------------------------------

FROM debian:bookworm-20260824-slim

# librdkafka's: TLS, compression and the authorities that a broker's certificate is checked with;
# ONNX Runtime's: C++.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl3 zlib1g ca-certificates libstdc++6 \
    && rm -rf /var/lib/apt/lists/*

# The only folder that a worker writes to. A number, so that Kubernetes can see it is not root.
RUN install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/tidegate

# The program looks for its library in ../lib and for its rules and models in ../share/tidegate.
COPY --from=build /out/lib/libonnxruntime.so /usr/local/lib/libonnxruntime.so
COPY --from=build /out/doc/onnxruntime /usr/local/share/doc/onnxruntime
COPY LICENSE NOTICE /usr/local/share/doc/tidegate/
COPY models /usr/local/share/tidegate/models
COPY rules /usr/local/share/tidegate/rules
COPY --chmod=0755 deploy/image/healthcheck /usr/local/bin/tidegate-healthcheck
COPY --from=build /out/bin/tidegate /usr/local/bin/tidegate

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Tidegate" \
      org.opencontainers.image.description="Content moderation for a stream of posts, on Kafka" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

USER 10001:10001
WORKDIR /var/lib/tidegate
# Metrics and probes; moderation over HTTP. Both listen as the configuration says.
EXPOSE 9464 8080
# It commits what it has decided and leaves its group, then ends.
STOPSIGNAL SIGTERM
# Is the pipeline getting on with its work? Loading every rule through its gates takes a while.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/tidegate-healthcheck", "/livez"]
ENTRYPOINT ["/usr/local/bin/tidegate"]
CMD ["run"]
