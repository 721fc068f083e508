# The operator's image: the executable, the shared libraries it needs, CA certificates, and nothing else.
#
#     docker build --tag bucket-sync .
#
# Without a container engine, `make image` makes the same one: it runs the same steps, and takes from the last stage
# here what is run and how.

FROM swift:6.3.1-bookworm AS build
WORKDIR /source
COPY Tests/Testbed/install Tests/Testbed/
COPY Tests/Testbed/lib/common.sh Tests/Testbed/lib/
RUN Tests/Testbed/install libraries
COPY . .
RUN make release
RUN image/root .build/release/homelab-helper /image

FROM scratch
COPY --from=build /image/ /
ARG VERSION=dev
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="bucket-sync" \
      org.opencontainers.image.description="Kubernetes operator that keeps object-storage buckets in sync" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/benfiola/homelab-helper" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
# GnuTLS comes with libcurl, which uses OpenSSL; not setting it up keeps half a MiB out of memory. MALLOC_ARENA_MAX makes no
# difference that `make bench-footprint` can see (try it: TRY=MALLOC_ARENA_MAX=1), so it is left alone.
ENV PATH="/usr/local/bin" GNUTLS_NO_IMPLICIT_INIT="1"
EXPOSE 8080 8081
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/homelab-helper"]
