# syntax=docker/dockerfile:1
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/khaosat ./app \
    && mkdir -p /out/data /out/root/etc/ssl/certs /out/root/usr/local/bin && mkdir -m 1777 /out/root/tmp \
    && cp /etc/ssl/certs/ca-certificates.crt /out/root/etc/ssl/certs/ \
    && mv /out/khaosat /out/root/usr/local/bin/

# Nothing but the program and CA certificates; time zones are inside the program.
FROM scratch
COPY --from=build /out/root /
# A new volume takes the owner of the folder it is mounted over.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV KHAOSAT_DATA=/data KHAOSAT_ADDR=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 CMD ["/usr/local/bin/khaosat", "health"]
ENTRYPOINT ["/usr/local/bin/khaosat"]
CMD ["serve"]
